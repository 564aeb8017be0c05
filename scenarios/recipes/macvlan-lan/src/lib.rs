//! Two macvlan children of one link in two namespaces, and whether they reach each other.

use netwright_sdk::prelude::*;

#[derive(Params)]
struct Lan {
    /// How the children see each other
    #[param(default = "bridge")]
    mode: MacvlanMode,
    /// The switch at the other end of the uplink sends frames back where they came from
    #[param(default = false)]
    hairpin: bool,
}

/// Two macvlan children of one link, in two namespaces, and whether they reach each other
#[recipe(name = "macvlan-lan", version = "0.1.0", check = faults)]
fn lan(lab: &Lab, lan: Lan) -> Result<()> {
    lab.step("an uplink and the switch that it is plugged into");
    let (uplink, port) =
        lab.veth("enp0s8").address("192.168.56.110/24").peer("switch0p1").create_pair()?;
    let switch = lab.bridge("switch0");
    if lan.hairpin {
        switch.hairpin_port(&port).create()?
    } else {
        switch.port(&port).create()?
    };

    lab.step("two namespaces, each with a child of the uplink");
    for (name, address) in [("ns1", "192.168.56.122/24"), ("ns2", "192.168.56.123/24")] {
        lab.namespace(name)?
            .macvlan("mac")
            .parent(&uplink)
            .mode(lan.mode)
            .address(address)
            .create()?;
    }

    lab.step("do they reach each other");
    let ping = lab.in_namespace("ns1")?.ping("192.168.56.123");
    if reachable(&lan) { ping.expect_reply() } else { ping.expect_silence() }
}

/// What is wrong with parameters that are each well-formed.
fn faults(lan: &Lan) -> Vec<Fault> {
    let alone = "a passthru child shares its parent with no other, and this lab has two";
    let fault = Fault::new("mode", alone).help("choose `bridge`, `vepa`, `private` or `source`");
    (lan.mode == MacvlanMode::Passthru).then_some(fault).into_iter().collect()
}

/// drivers/net/macvlan.c: only bridge children speak to each other without the wire; vepa children
/// do by way of a switch that reflects; private ones never do.
fn reachable(lan: &Lan) -> bool {
    match lan.mode {
        MacvlanMode::Bridge => true,
        MacvlanMode::Vepa => lan.hairpin,
        MacvlanMode::Private | MacvlanMode::Passthru | MacvlanMode::Source => false,
    }
}

#[cfg(test)]
mod tests {
    use netwright_sdk::testing::MemoryHost;

    use super::*;

    #[test]
    fn bridge_children_are_built_and_ping_each_other() -> Result<()> {
        let host = MemoryHost::new();
        host.answer_ping_from("ns1", "192.168.56.123");
        host.run(&RECIPE)?;
        assert_eq!(
            host.changes(),
            [
                "link add name enp0s8 up type veth peer name switch0p1 up",
                "address add 192.168.56.110/24 dev enp0s8",
                "link add name switch0 up type bridge",
                "link set switch0p1 master switch0",
                "netns add ns1",
                "-n ns1 link add link root/enp0s8 name mac up type macvlan mode bridge",
                "-n ns1 address add 192.168.56.122/24 dev mac",
                "netns add ns2",
                "-n ns2 link add link root/enp0s8 name mac up type macvlan mode bridge",
                "-n ns2 address add 192.168.56.123/24 dev mac",
            ]
        );
        let checks = host.checks();
        assert_eq!(checks[0].name, "namespace `ns1` reaches 192.168.56.123");
        assert!(checks[0].passed());
        Ok(())
    }

    #[test]
    fn private_children_stay_apart_even_on_a_reflecting_switch() -> Result<()> {
        let host = MemoryHost::new();
        host.set_param("mode", "private");
        host.set_param("hairpin", "true");
        host.run(&RECIPE)?;
        assert_eq!(host.checks()[0].name, "namespace `ns1` does not reach 192.168.56.123");
        let child = host.link("ns2/mac").context("ns2/mac")?;
        assert_eq!(child.detail("mode"), Some("private"));
        Ok(())
    }

    #[test]
    fn vepa_children_need_a_switch_that_reflects() {
        let host = MemoryHost::new();
        host.set_param("mode", "vepa");
        host.set_param("hairpin", "true");
        let error = host.run(&RECIPE).expect_err("nobody answers");
        let expected = "namespace `ns1` reaches 192.168.56.123: 0 of 1 replies";
        assert_eq!(error.to_string(), expected);
        let hairpin = "link set switch0p1 master switch0 type bridge_slave hairpin on";
        assert!(host.changes().contains(&hairpin.to_owned()));
    }

    #[test]
    fn passthru_is_refused_before_anything_is_built() {
        let host = MemoryHost::new();
        host.set_param("mode", "passthru");
        let error = host.run(&RECIPE).expect_err("two passthru children");
        assert_eq!(
            error.to_string(),
            "mode: a passthru child shares its parent with no other, and this lab has two\n  help: choose `bridge`, `vepa`, `private` or `source`"
        );
        assert!(host.changes().is_empty());
    }

    #[test]
    fn a_wrong_mode_is_refused_with_those_that_there_are() {
        let host = MemoryHost::new();
        host.set_param("mode", "brigde");
        host.set_param("hairpin", "maybe");
        let faults = host.check(&RECIPE);
        assert_eq!(
            faults.iter().map(ToString::to_string).collect::<Vec<_>>(),
            [
                "mode: `brigde` is not a macvlan mode; there are `private`, `vepa`, `bridge`, `passthru`, `source`",
                "hairpin: `maybe` is neither `true` nor `false`",
            ]
        );
    }
}
