//! The part of ROS that the tests need: parameters, conditions and functions of a template become
//! values.

use super::{keys, yaml};
use serde_json::{Map, Value, json};

/// A template with the values that a stack gives it.
pub struct Stack {
    template: Value,
    names: Map<String, Value>,
}

impl Stack {
    /// Takes a template's file, where the stack is, and its parameters.
    pub fn new(file: &str, account: &str, region: &str, given: Value) -> Stack {
        let template = yaml(file);
        let mut names = Map::new();
        for (name, parameter) in template["Parameters"].as_object().unwrap() {
            let value = given.get(name).or(parameter.get("Default"));
            let value = value.unwrap_or_else(|| panic!("{file}: {name} must be given"));
            names.insert(name.clone(), value.clone());
        }
        for name in keys(&given) {
            assert!(names.contains_key(&name), "{file} has no parameter {name}");
        }
        names.insert("ALIYUN::TenantId".into(), account.into());
        names.insert("ALIYUN::Region".into(), region.into());
        Stack { template, names }
    }

    /// Returns the properties of a resource, or nothing if its condition does not hold.
    pub fn properties(&self, resource: &str) -> Option<Value> {
        let resource = &self.template["Resources"][resource];
        assert!(resource.is_object());
        let condition = resource.get("Condition");
        let is_made = condition.is_none_or(|condition| self.holds(condition));
        is_made.then(|| self.value(&resource["Properties"]))
    }

    fn holds(&self, condition: &Value) -> bool {
        if let Some(name) = condition.as_str() {
            return self.holds(&self.template["Conditions"][name]);
        }
        let (function, operands) = condition.as_object().unwrap().iter().next().unwrap();
        let operands = operands.as_array().unwrap();
        match function.as_str() {
            "Fn::Equals" => self.value(&operands[0]) == self.value(&operands[1]),
            "Fn::And" => operands.iter().all(|operand| self.holds(operand)),
            "Fn::Not" => !self.holds(&operands[0]),
            other => panic!("the tests do not know {other}"),
        }
    }

    fn value(&self, value: &Value) -> Value {
        let map = match value {
            Value::Array(items) => return items.iter().map(|item| self.value(item)).collect(),
            Value::Object(map) => map,
            plain => return plain.clone(),
        };
        let (key, operand) = match map.iter().next() {
            Some((key, operand)) if map.len() == 1 => (key.as_str(), operand),
            _ => ("", &Value::Null),
        };
        match key {
            "Ref" if operand == "ALIYUN::NoValue" => Value::Null,
            "Ref" => self.names[operand.as_str().unwrap()].clone(),
            "Fn::If" => self.value(&operand[if self.holds(&operand[0]) { 1 } else { 2 }]),
            "Fn::Sub" => {
                let mut text = operand.as_str().unwrap().to_owned();
                for (name, value) in &self.names {
                    text = text.replace(&format!("${{{name}}}"), value.as_str().unwrap());
                }
                assert!(!text.contains("${"), "{text}");
                text.into()
            }
            "Fn::Split" => {
                let text = self.value(&operand[1]);
                let separator = operand[0].as_str().unwrap();
                text.as_str().unwrap().split(separator).collect()
            }
            "Fn::Join" => {
                let parts = self.value(&operand[1]);
                let parts = parts.as_array().unwrap().iter();
                let parts: Vec<&str> = parts.map(|part| part.as_str().unwrap()).collect();
                parts.join(operand[0].as_str().unwrap()).into()
            }
            // What only a live stack knows stays as it is.
            "Fn::GetAtt" => json!({key: operand}),
            _ => {
                let inner = map.iter();
                let inner = inner.map(|(key, inner)| (key.clone(), self.value(inner)));
                Value::Object(inner.filter(|(_, inner)| !inner.is_null()).collect())
            }
        }
    }
}
