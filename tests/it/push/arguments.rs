//! What is wrong with the arguments is told before anything is connected to.

use super::working;
use crate::support::{Machine, Pass};

fn subscribe(machine: &Machine, arguments: &[&str], environment: &[(&str, &str)]) -> Pass {
    let mut command = machine.headcount_command(&["reconcile", "--subscribe"]);
    command.args(arguments);
    command.envs(environment.iter().copied());
    Pass::of(command)
}

#[test]
fn a_wrong_flag_is_a_wrong_usage() {
    let machine = Machine::new();
    working(&machine);
    for (arguments, word) in [
        (&["--timeout", "-1"][..], "--timeout"),
        (&["--timeout", "-1"], "a whole number of seconds"),
        (&["--idle-timeout", "-1"], "--idle-timeout"),
        (&["--resync", "0"], "--resync"),
        (&["--port", "0"], "--port"),
        (&["--port", "70000"], "--port"),
        (&["--topic", "jobs/#/events"], "`#` is a whole level"),
        (&["--topic", "jobs/+/logs"], "matches no job's events"),
        (&["--topic", "$SYS/#"], "the broker's own"),
        (&["--topic", ""], "--topic"),
        (&["--poll"], "cannot be used with"),
        (&["--dry-run"], "cannot be used with"),
        (&["--cert", "/nowhere"], "--key or MQTT_KEYFILE"),
        (&["--key", "/nowhere"], "--cert or MQTT_CERTFILE"),
        (&["--broker", "localhost:1883"], "--port or MQTT_PORT"),
        (&["--broker", ""], "has no name"),
        (&["--broker", "no-such-host.invalid"], "cannot be resolved"),
        (&["--broker", "mqtt://here:1883"], "MQTT_PORT"),
        (&["--ca-certs", "/no/such/file"], "/no/such/file"),
        (&["--ca-certs", "/dev/null"], "/dev/null"),
    ] {
        subscribe(&machine, arguments, &[])
            .exits(2)
            .complains_of(word);
    }
}

#[test]
fn a_wrong_variable_is_named() {
    let machine = Machine::new();
    working(&machine);
    for (key, value) in [
        ("MQTT_PORT", "mqtt"),
        ("MQTT_PORT", "0"),
        ("MQTT_TLS", "perhaps"),
        ("MQTT_CA_CERTS", "/no/such/file"),
        ("MQTT_CERTFILE", "/no/such/file"),
        ("MQTT_PASSWORD", "without a user"),
        ("MQTT_BROKER", "no-such-host.invalid"),
        ("RECONCILE_POLL_INTERVAL", "often"),
    ] {
        let pass = subscribe(&machine, &[], &[(key, value)]).exits(2);
        let named = match key {
            "MQTT_CERTFILE" => "MQTT_KEYFILE",
            "MQTT_PASSWORD" => "MQTT_USERNAME",
            key => key,
        };
        pass.complains_of(named);
    }
}

#[test]
fn what_is_only_for_listening_is_not_taken_without_it() {
    let machine = Machine::new();
    working(&machine);
    for flag in ["--require-signature", "--tls"] {
        let command = machine.headcount_command(&["reconcile", flag]);
        Pass::of(command).exits(2).complains_of("--subscribe");
    }
}
