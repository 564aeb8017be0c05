//! What is chosen by a vrf, a master, a metric or a flag, and how it is shown.

use netwright_sdk::testing::MemoryHost;
use recipe_ip::RECIPE;

/// What a script leaves, and what it prints.
fn carried_out(script: &str) -> MemoryHost {
    let host = MemoryHost::new();
    host.set_param("script", script);
    if let Err(error) = host.run(&RECIPE) {
        panic!("{script}\n{error}");
    }
    host
}

const VRF: &str = "ip link add blue type vrf table 10\nip link add e0 type veth peer name e1\n\
                   ip link set blue up\nip link set e0 up\nip link set e1 up\n\
                   ip addr add 10.0.0.1/24 dev e0\n";

#[test]
fn a_route_of_a_vrf_is_in_its_table() {
    let host = carried_out(&format!(
        "{VRF}ip route add vrf blue unreachable default metric 8192\nip route add 10.9.0.0/16 dev e0\n\
         ip route show vrf blue\nip route del default vrf blue\nip route show table 10"
    ));
    let changes = host.changes();
    assert!(
        changes.iter().any(|change| change == "route add unreachable default table 10 metric 8192"),
        "{changes:?}"
    );
    assert_eq!(host.prints(), ["unreachable default metric 8192"]);
}

#[test]
fn vrfs_are_shown_with_their_tables() {
    let host = carried_out(&format!("ip vrf\n{VRF}ip vrf show\nip vrf show blue"));
    let table = "Name              Table\n-----------------------\nblue                 10";
    assert_eq!(host.prints(), ["No VRF has been configured", table, "blue 10"]);
}

#[test]
fn neighbours_are_chosen_by_the_master_of_their_link() {
    let host = carried_out(&format!(
        "{VRF}ip link set e0 vrf blue\nip neigh add 10.0.0.7 lladdr 2:0:0:0:0:7 dev e0\n\
         ip neigh add 10.0.0.8 lladdr 2:0:0:0:0:8 dev e1\n\
         ip neigh show vrf blue\nip neigh show nomaster\nip neigh show master blue dev e1"
    ));
    assert_eq!(
        host.prints(),
        [
            "10.0.0.7 dev e0 lladdr 02:00:00:00:00:07 PERMANENT",
            "10.0.0.8 dev e1 lladdr 02:00:00:00:00:08 PERMANENT",
        ]
    );
}

#[test]
fn what_is_no_vrf_chooses_nothing() {
    for line in ["ip route add vrf e0 default dev e1", "ip route show vrf e0", "ip vrf show e0"] {
        let host = MemoryHost::new();
        host.set_param("script", format!("{VRF}{line}"));
        let error = host.run(&RECIPE).expect_err(line).to_string();
        assert!(error.ends_with("`e0` is a veth and no vrf"), "{error}");
    }
}

#[test]
fn ports_and_stations_of_bridges_are_shown() {
    let host = carried_out(
        "ip link add br0 address 2:0:0:0:0:1 type bridge\nip link add p0 type veth peer name p1\n\
         ip link set p0 master br0\nbridge fdb add 2:0:0:0:0:5 dev p0 master static\n\
         bridge link\nbridge link show dev p1\nbridge fdb show br br0\nbridge fdb show brport p0\n\
         bridge fdb show dev p1\nbridge fdb",
    );
    let prints = host.prints();
    assert!(prints[0].contains(": p0@p1: <") && prints[0].contains(" master br0"), "{prints:?}");
    let entry = "02:00:00:00:00:05 dev p0 master br0 static";
    assert_eq!(prints[1..], [entry, entry, entry]);
}

#[test]
fn tunnels_are_shown_with_their_ends() {
    let host = carried_out(
        "ip tunnel add t0 mode gre local 192.0.2.1 remote 192.0.2.2 ttl 64\n\
         ip tunnel add t1 mode sit local 192.0.2.1 remote any\nip tunnel show\nip tunnel show t1\n\
         ip -6 tunnel show\nip tunnel del t1",
    );
    let first = "t0: gre/ip remote 192.0.2.2 local 192.0.2.1 ttl 64";
    let second = "t1: ipv6/ip remote any local 192.0.2.1 ttl inherit";
    assert_eq!(host.prints(), [format!("{first}\n{second}"), second.to_owned()]);
}

#[test]
fn addresses_are_chosen_by_the_flags_that_they_were_given() {
    let host = carried_out(&format!(
        "{VRF}ip addr add fd00::1/64 dev e0 nodad noprefixroute\nip addr add fd00::2/64 dev e0\n\
         ip -6 addr show dev e0 noprefixroute\nip addr show home"
    ));
    let shown = host.prints().join("\n");
    assert!(shown.contains("fd00::1/64") && !shown.contains("fd00::2/64"), "{shown}");
    assert_eq!(host.prints().len(), 1);
}

#[test]
fn links_and_addresses_are_shown_in_brief_and_on_one_line() {
    let host = carried_out(
        "ip link add br0 address 2:0:0:0:0:1 type bridge\nip link add br1 address 2:0:0:0:0:2 type bridge\n\
         ip addr add 10.0.0.1/24 dev br0\nip addr add 10.1.0.1 peer 10.1.0.2 dev br0\n\
         ip -br link show br0\nip -br addr show br0\nip -br addr show br1\nip -o link show br0\n\
         ip -o addr show br0\nip -o addr show br1",
    );
    let prints = host.prints();
    let index = prints[3].split(':').next().expect("an index");
    let forever = "\\       valid_lft forever preferred_lft forever";
    assert!(
        prints[0].starts_with("br0              DOWN           02:00:00:00:00:01 <"),
        "{prints:?}"
    );
    assert_eq!(prints[1], "br0              DOWN           10.0.0.1/24 10.1.0.1 peer 10.1.0.2/32");
    assert_eq!(prints[2], "br1              DOWN");
    assert!(prints[3].ends_with("\\    link/ether 02:00:00:00:00:01 brd ff:ff:ff:ff:ff:ff"));
    assert_eq!(
        prints[4],
        format!(
            "{index}: br0    inet 10.0.0.1/24 scope global br0{forever}\n\
             {index}: br0    inet 10.1.0.1 peer 10.1.0.2/32 scope global br0{forever}"
        )
    );
    assert_eq!(prints.len(), 5);
}
