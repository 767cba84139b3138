//! Progress is shown on a terminal only.

use super::{event, folder, vars};
use crate::platform::binary;
use crate::support::{TOKEN, group};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use std::fs::{self, File, OpenOptions};
use std::io::Read;
use std::process::Stdio;

#[test]
fn long_work_shows_its_progress_on_a_terminal() {
    let group = group();
    let webhook = group.webhook(TOKEN);
    let file = folder("terminal").join("letters");
    let letter = |n| {
        let mut event = event(n);
        event["data"]["instanceName"] = "店".repeat(90).into();
        event.to_string() + "\n"
    };
    fs::write(&file, (0..60).map(letter).collect::<String>()).unwrap();

    let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&controller).unwrap();
    unlockpt(&controller).unwrap();
    let name = ptsname(&controller, Vec::new()).unwrap();
    let terminal = OpenOptions::new()
        .read(true)
        .write(true)
        .open(name.to_str().unwrap())
        .unwrap();
    let mut child = binary(&vars(&webhook))
        .args(["send", file.to_str().unwrap()])
        .stdout(Stdio::null())
        .stderr(terminal)
        .spawn()
        .unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    // What was written stays readable; then the other side is closed, which is an error here.
    let mut shown = Vec::new();
    let _ = File::from(controller).read_to_end(&mut shown);
    let shown = String::from_utf8(shown).unwrap();
    assert!(
        shown.contains("sending 1 to ") && shown.contains(" of 60 events"),
        "{shown:?}"
    );
    assert!(
        shown.contains(" …\u{1b}[K\r"),
        "what follows overwrites it: {shown:?}"
    );
}
