//! What a script asks of the host, and what becomes of the answers.

use netwright_sdk::testing::MemoryHost;
use netwright_sdk::wit::types::{Error as Cause, KernelError};
use recipe_ip::RECIPE;

fn host(script: &str) -> MemoryHost {
    let host = MemoryHost::new();
    host.set_param("script", script);
    host
}

/// The changes that a script makes, in ip(8)'s words.
fn changes(script: &str) -> Vec<String> {
    let host = host(script);
    if let Err(error) = host.run(&RECIPE) {
        panic!("{script}\n{error}");
    }
    host.changes()
}

#[test]
fn the_tutorial_is_carried_out_line_by_line() {
    let host = host(
        "
        $ ip link add enp0s8 type veth peer name switch0
        $ ip link add link enp0s8 dev mac1 type macvlan mode bridge
        $ ip netns add ns1
        $ ip link set mac1 netns ns1
        $ ip netns exec ns1 ip address add 192.168.56.122/24 dev mac1
        $ ip netns exec ns1 ip link set mac1 up
        $ ip netns exec ns1 ping 192.168.56.123
        ",
    );
    host.answer_ping_from("ns1", "192.168.56.123");
    host.run(&RECIPE).expect("the neighbour answers");
    assert_eq!(
        host.changes(),
        [
            "link add name enp0s8 type veth peer name switch0",
            "link add link enp0s8 name mac1 type macvlan mode bridge",
            "netns add ns1",
            "link set mac1 netns ns1",
            "-n ns1 address add 192.168.56.122/24 dev mac1",
            "-n ns1 link set mac1 up",
        ]
    );
    let checks = host.checks();
    assert_eq!(checks[0].name, "ip netns exec ns1 ping 192.168.56.123");
    assert!(checks[0].passed());
}

#[test]
fn settings_of_a_namespace_are_written_read_and_printed() {
    let host = host(
        "
        netns add r1
        ip netns exec r1 sysctl -w net.ipv4.ip_forward=1 net/ipv4/conf/all/rp_filter=2
        sysctl -q net.ipv4.ip_forward=1
        sysctl net.ipv4.ip_forward
        sysctl -n net.ipv4.ip_forward
        ",
    );
    host.run(&RECIPE).expect("it is written");
    assert_eq!(
        host.changes(),
        [
            "netns add r1",
            "-n r1 sysctl net.ipv4.ip_forward=1",
            "-n r1 sysctl net/ipv4/conf/all/rp_filter=2",
            "sysctl net.ipv4.ip_forward=1",
        ]
    );
    assert_eq!(
        host.prints(),
        [
            "net.ipv4.ip_forward = 1",
            "net/ipv4/conf/all/rp_filter = 2",
            "net.ipv4.ip_forward = 1",
            "1",
        ]
    );
}

#[test]
fn a_ping_without_a_reply_ends_the_run() {
    let host = host("netns add ns1\nip netns exec ns1 ping -c 2 10.0.0.9\nnetns add ns2");
    let error = host.run(&RECIPE).expect_err("nobody is there");
    assert_eq!(
        error.to_string(),
        "line 2: ip netns exec ns1 ping -c 2 10.0.0.9: no reply from 10.0.0.9: \
         2 packets transmitted, 0 received, 100% packet loss"
    );
    assert!(!host.checks()[0].passed());
    assert_eq!(host.changes(), ["netns add ns1"]);
}

#[test]
fn the_kernels_refusal_names_the_line() {
    let host = host("link add br0 type bridge\nlink set br0 mtu 1400\nlink set br0 up");
    host.refuse(
        "link set br0 mtu 1400",
        netwright_sdk::Error::from(Cause::Kernel(KernelError {
            errno: 22,
            name: "EINVAL".to_owned(),
            operation: "link set br0 mtu 1400".to_owned(),
            text: Some("mtu greater than device maximum".to_owned()),
            hint: None,
            extra: Vec::new(),
        })),
    );
    let error = host.run(&RECIPE).expect_err("it is refused");
    assert_eq!(
        error.to_string(),
        "kernel refused `line 2: link set br0 mtu 1400`: mtu greater than device maximum (EINVAL)"
    );
    assert_eq!(host.changes(), ["link add name br0 type bridge"]);
}

#[test]
fn names_left_out_are_chosen_as_the_kernel_chooses() {
    assert_eq!(
        changes("link add type veth\nlink add type veth peer name x\nlink add type bridge"),
        [
            "link add name veth1 type veth peer name veth0",
            "link add name veth2 type veth peer name x",
            "link add name bridge0 type bridge",
        ]
    );
}

#[test]
fn what_is_born_elsewhere_has_its_parent_where_the_command_is_given() {
    assert_eq!(
        changes(
            "netns add ns1\nlink add p0 type bridge\n\
             link add m0 link p0 netns ns1 type macvlan mode bridge"
        ),
        [
            "netns add ns1",
            "link add name p0 type bridge",
            "-n ns1 link add link root/p0 name m0 type macvlan mode bridge",
        ]
    );
}

#[test]
fn a_group_is_all_of_its_links() {
    assert_eq!(
        changes(
            "link add a0 group 7 type bridge\nlink add b0 type bridge\n\
             link add c0 group 7 type bridge\nlink set group 7 up\nlink del group 7"
        ),
        [
            "link add name a0 group 7 type bridge",
            "link add name b0 type bridge",
            "link add name c0 group 7 type bridge",
            "link set a0 up",
            "link set c0 up",
            "link delete a0",
            "link delete c0",
        ]
    );
}

#[test]
fn a_shown_address_looks_as_it_does_in_ip() {
    let host = host(
        "link add br0 address 02:00:00:00:00:01 type bridge\n\
         address add 10.0.0.1/24 dev br0\naddress show br0",
    );
    host.run(&RECIPE).expect("it is shown");
    let shown = host.prints().join("\n");
    let lines: Vec<&str> = shown.lines().collect();
    assert!(lines[0].contains(": br0: <"), "{shown}");
    assert_eq!(lines[1], "    link/ether 02:00:00:00:00:01 brd ff:ff:ff:ff:ff:ff");
    assert_eq!(lines[2], "    inet 10.0.0.1/24 scope global br0");
}

#[test]
fn every_namespace_is_reached_and_deleted() {
    assert_eq!(
        changes("netns add n1\nnetns add n2\n-all netns exec ip link set lo up\n-all netns del"),
        [
            "netns add n1",
            "netns add n2",
            "-n n1 link set lo up",
            "-n n2 link set lo up",
            "netns delete n1",
            "netns delete n2",
        ]
    );
}

#[test]
fn a_fault_leaves_everything_untouched() {
    let host = host("netns add ns1\nip lnik set x up");
    let faults = host.check(&RECIPE);
    assert_eq!(faults.len(), 1);
    assert_eq!((faults[0].parameter.as_str(), faults[0].line, faults[0].column), ("script", 2, 4));
    assert_eq!(faults[0].message, "`lnik` is not known in ip(8)");
    assert_eq!(faults[0].help.as_deref(), Some("did you mean `link`?"));
    host.run(&RECIPE).expect_err("the script is wrong");
    assert_eq!(host.changes(), [""; 0]);
}

#[test]
fn a_script_is_needed() {
    let faults = MemoryHost::new().check(&RECIPE);
    assert_eq!(faults[0].message, "parameter `script` is missing");
}

/// As the kernel takes them (net/core/rtnetlink.c, rtnl_bridge_setlink).
#[test]
fn the_vlans_of_a_bridge_are_its_self_and_those_of_a_port_its_masters() {
    let made =
        "link add br0 type bridge\nlink add v0 type veth peer name v1\nlink set v0 master br0\n";
    for (line, why) in [
        ("bridge vlan add dev br0 vid 5", "is a bridge and no port: its own VLANs take `self`"),
        ("bridge vlan del dev br0 vid 5 master", "is a bridge and no port"),
        ("bridge vlan add dev v0 vid 5 self", "is no bridge: without `self` its VLANs are set"),
    ] {
        let error = host(&format!("{made}{line}")).run(&RECIPE).expect_err(line).to_string();
        assert!(error.contains(why), "{line}: {error}");
    }
    let both = "bridge vlan add dev br0 vid 5 self\nbridge vlan add dev v0 vid 5";
    assert_eq!(changes(&format!("{made}{both}")).len(), 5);
}
