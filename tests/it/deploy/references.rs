//! All references in the templates resolve, and nothing is declared that is not used.

use super::{keys, names, yaml};
use serde_json::Value;
use std::collections::BTreeSet;

/// Collects the names that ROS functions below `value` refer to: `(function, name)`.
fn uses(value: &Value, found: &mut BTreeSet<(String, String)>) {
    match value {
        Value::Object(map) => {
            for (key, inner) in map {
                let name = match key.as_str() {
                    "Ref" => inner.as_str(),
                    "Fn::If" | "Fn::GetAtt" => inner[0].as_str(),
                    _ => None,
                };
                if let ("Fn::Sub", Some(text)) = (key.as_str(), inner.as_str()) {
                    let names = text
                        .split("${")
                        .skip(1)
                        .filter_map(|rest| rest.split_once('}'));
                    found.extend(names.map(|(name, _)| ("Ref".to_owned(), name.to_owned())));
                }
                if let Some(name) = name {
                    found.insert((key.clone(), name.to_owned()));
                }
                // Resources and other conditions name conditions as well.
                let conditions = match key.as_str() {
                    "Condition" => inner.as_str().into_iter().collect(),
                    "Fn::And" => inner
                        .as_array()
                        .into_iter()
                        .flatten()
                        .filter_map(Value::as_str)
                        .collect(),
                    _ => Vec::new(),
                };
                let conditions = conditions.into_iter().filter(|name| !name.is_empty());
                found.extend(conditions.map(|name| ("Fn::If".to_owned(), name.to_owned())));
                uses(inner, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| uses(item, found)),
        _ => {}
    }
}

#[test]
fn templates_use_all_that_they_declare() {
    for file in ["template.yml", "deploy/forwarder.yml", "deploy/hub.yml"] {
        let template = yaml(file);
        let mut found = BTreeSet::new();
        uses(&template, &mut found);
        let of = |function: &str| -> BTreeSet<String> {
            found
                .iter()
                .filter(|(used, name)| used == function && !name.starts_with("ALIYUN::"))
                .map(|(_, name)| name.clone())
                .collect()
        };
        assert_eq!(of("Ref"), keys(&template["Parameters"]), "{file}");
        assert_eq!(of("Fn::If"), keys(&template["Conditions"]), "{file}");
        let resources = keys(&template["Resources"]);
        assert!(of("Fn::GetAtt").is_subset(&resources), "{file}");
        for (name, resource) in template["Resources"].as_object().unwrap() {
            let first = resource["DependsOn"].as_array().into_iter().flatten();
            for other in first {
                assert!(
                    resources.contains(other.as_str().unwrap()),
                    "{file}: {name}"
                );
            }
        }
        assert_eq!(
            keys(&template),
            names(&[
                "ROSTemplateFormatVersion",
                "Description",
                "Parameters",
                "Conditions",
                "Resources",
                "Outputs"
            ])
        );
    }
}
