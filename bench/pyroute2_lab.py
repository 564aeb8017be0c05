"""N nodes of namespace + macvlan + address + up, made and taken down by pyroute2.

unshare --user --map-root-user --net --mount python3 bench/pyroute2_lab.py 200
"""

import subprocess
import sys

from pyroute2 import IPRoute, NetNS, netns

nodes = int(sys.argv[1])

# The names of namespaces are ours alone, and go with the mount namespace.
subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], check=True)

with IPRoute() as root:
    root.link("add", ifname="p0", kind="veth", peer="p1")
    parent = root.link_lookup(ifname="p0")[0]
    root.link("set", index=parent, state="up")
    for node in range(1, nodes + 1):
        name = f"n{node}"
        netns.create(name)
        root.link(
            "add", ifname="eth0", kind="macvlan", macvlan_mode="bridge", link=parent, net_ns_fd=name
        )
        with NetNS(name) as inside:
            index = inside.link_lookup(ifname="eth0")[0]
            inside.addr("add", index=index, address=f"10.1.{node // 256}.{node % 256}", prefixlen=16)
            inside.link("set", index=index, state="up")
    for node in range(1, nodes + 1):
        netns.remove(f"n{node}")
    root.link("del", index=parent)
