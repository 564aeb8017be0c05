//! The in-memory host answers like the kernel where recipes notice.

use netwright_sdk::prelude::*;
use netwright_sdk::testing::MemoryHost;

fn lab() -> (MemoryHost, Lab, Link) {
    let host = MemoryHost::new();
    host.add_device("eth0");
    let lab = Lab::open().expect("there is a host");
    let parent = lab.link("eth0").expect("eth0 is there");
    (host, lab, parent)
}

fn errno<T: std::fmt::Debug>(result: Result<T>) -> Option<i32> {
    result.expect_err("the kernel refuses it").errno()
}

#[test]
fn a_taken_name_is_eexist_and_a_missing_parent_enodev() -> Result<()> {
    let (_host, lab, _) = lab();
    lab.dummy("d").create()?;
    assert!(lab.dummy("d").create().is_err_and(|error| error.is_already_there()));
    assert!(lab.namespace("ns1").and(lab.namespace("ns1")).is_err_and(|e| e.is_already_there()));
    let orphan = lab.macvlan("m").parent("gone").create().expect_err("there is no parent");
    assert!(orphan.is_missing(), "{orphan:?}");
    assert_eq!(
        orphan.to_string(),
        "the root namespace has no link `gone`\n  help: it has `lo`, `eth0`, `d`"
    );
    assert!(lab.link("gone").is_err_and(|error| error.is_missing()));
    Ok(())
}

#[test]
fn a_passthru_child_is_alone_and_has_its_parents_mac() -> Result<()> {
    let (_host, lab, parent) = lab();
    let passthru = lab.macvlan("m1").parent(&parent).mode(MacvlanMode::Passthru).create()?;
    assert_eq!(passthru.mac()?, parent.mac()?);
    assert_eq!(parent.info()?.promiscuity, 1);
    assert_eq!(errno(lab.macvlan("m2").parent(&parent).create()), Some(22));
    let stays = passthru.set_mode(MacvlanMode::Bridge).expect_err("passthru stays");
    assert!(stays.to_string().contains("is passthru and can't become bridge in place"), "{stays}");
    Ok(())
}

#[test]
fn an_mtu_above_the_parents_and_a_multicast_mac_are_refused() -> Result<()> {
    let (_host, lab, parent) = lab();
    let wide = lab.macvlan("m").parent(&parent).mtu(9000).create().expect_err("it is too wide");
    assert!(wide.to_string().ends_with("mtu of `m` is 9000, above the 1500 of its parent `eth0`"));
    assert_eq!(errno(lab.macvlan("m").parent(&parent).mac("01:00:00:00:00:01").create()), Some(99));
    assert_eq!(errno(lab.macvlan("m").parent("lo").create()), Some(22));
    assert!(lab.link("m").is_err());
    Ok(())
}

#[test]
fn the_same_mac_twice_on_one_parent_is_refused_when_it_comes_up() -> Result<()> {
    let (_host, lab, parent) = lab();
    let mac = "02:00:00:00:00:77";
    lab.macvlan("m1").parent(&parent).mac(mac).create()?;
    let twin = lab.macvlan("m2").parent(&parent).mac(mac).down().create()?;
    assert_eq!(errno(twin.up()), Some(98));
    Ok(())
}

#[test]
fn children_vanish_with_their_parent_in_every_namespace() -> Result<()> {
    let (host, lab, _) = lab();
    let (uplink, port) = lab.veth("up0").peer("port0").create_pair()?;
    let child = lab.namespace("ns1")?.macvlan("m").parent(&uplink).create()?;
    assert_eq!(child.info()?.parent.map(|parent| parent.namespace), Some(Some(String::new())));
    port.delete()?;
    assert!(host.link("ns1/m").is_none() && host.link("up0").is_none());
    assert!(child.info().is_err_and(|error| error.is_missing()));
    Ok(())
}

#[test]
fn a_child_of_a_parent_that_is_down_has_no_carrier() -> Result<()> {
    let (_host, lab, parent) = lab();
    let child = lab.macvlan("m").parent(&parent).create()?;
    assert!(child.info()?.carrier);
    parent.down()?;
    assert_eq!(child.info()?.operational_state, "lowerlayerdown");
    assert!(lab.wait_until(Condition::no_carrier("m"), Duration::from_secs(1)).is_ok());
    Ok(())
}

#[test]
fn a_macvlan_on_a_macvlan_lies_on_the_lowest_link() -> Result<()> {
    let (_host, lab, parent) = lab();
    let first = lab.macvlan("m1").parent(&parent).create()?;
    let second = lab.macvlan("m2").parent(&first).create()?;
    assert_eq!(second.info()?.parent.map(|parent| parent.name), Some("eth0".to_owned()));
    Ok(())
}

#[test]
fn routes_need_a_gateway_in_reach_and_go_with_their_link() -> Result<()> {
    let (host, lab, parent) = lab();
    assert_eq!(errno(lab.route("default").via("10.0.0.254").add()), Some(101));
    parent.add_address("10.0.0.1/24")?;
    lab.route("default").via("10.0.0.254").add()?;
    assert!(lab.route("default").via("10.0.0.253").add().is_err_and(|e| e.is_already_there()));
    lab.route("default").via("10.0.0.253").metric(5).add()?;
    assert_eq!(lab.route_to("8.8.8.8")?.gateway(), Some(IpAddr::from([10, 0, 0, 254])));
    assert_eq!(lab.route_to("10.0.0.7")?.link(), Some("eth0"));
    parent.down()?;
    assert!(host.routes("").is_empty());
    Ok(())
}

#[test]
fn an_address_is_there_once_and_its_removal_needs_it() -> Result<()> {
    let (host, _lab, parent) = lab();
    parent.add_address("10.0.0.1/24")?;
    assert!(parent.add_address("10.0.0.1/24").is_err_and(|error| error.is_already_there()));
    parent.address("10.0.0.1/24").remove()?;
    assert!(parent.address("10.0.0.1/24").remove().is_err_and(|error| error.is_missing()));
    assert!(host.routes("").is_empty());
    Ok(())
}

#[test]
fn a_server_of_the_recipe_answers_its_probes() -> Result<()> {
    let (_host, lab, parent) = lab();
    parent.add_address("10.0.0.1/24")?;
    let server = lab.listen(Transport::Tcp, 0).echo().open()?;
    let answer = lab.tcp("10.0.0.1", server.port()).send("hello").receive(4).connect()?;
    assert_eq!((answer.received, server.accepted()), (b"hell".to_vec(), 1));
    drop(server);
    lab.tcp("10.0.0.1", 40001).expect_closed()
}

#[test]
fn a_setting_is_one_however_its_key_is_written() -> Result<()> {
    let (host, lab, _) = lab();
    host.add_device("br.lan");
    lab.set_sysctl("net/ipv4/conf/br.lan/arp_ignore", 1)?;
    assert_eq!(lab.sysctl("net.ipv4.conf.br/lan.arp_ignore")?, "1");
    // Here the link would be `br`, which is not there.
    assert!(lab.sysctl("net.ipv4.conf.br.lan.arp_ignore").is_err_and(|error| error.is_missing()));
    lab.set_sysctl("net.ipv4.ip_forward", 1)?;
    assert_eq!(lab.sysctl("net/ipv4/ip_forward")?, "1");
    assert_eq!(lab.sysctl("net/ipv4/conf/all/forwarding")?, "1");
    for key in ["kernel.hostname", "net/../kernel/hostname", "net..x"] {
        let refused = lab.set_sysctl(key, 1).and(lab.sysctl(key).map(drop));
        assert!(refused.is_err_and(|error| error.to_string().contains("sysctl")), "{key}");
    }
    Ok(())
}
