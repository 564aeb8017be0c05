#!/bin/sh
# N nodes of namespace + macvlan + address + up, made and taken down by iproute2: `ip -batch` for
# what can be made from outside, `ip -n` for what is set inside.
#
#   unshare --user --map-root-user --net --mount sh bench/ip.sh 200 [move]
#
# With `move` each macvlan is made outside and then moved in, as tutorials do; otherwise it is made
# in its namespace at once.
set -eu
nodes=$1
way=${2:-direct}

# The names of namespaces are ours alone, and go with the mount namespace.
mount -t tmpfs tmpfs /run

awk -v nodes="$nodes" -v way="$way" 'BEGIN {
  print "link add p0 type veth peer name p1"
  print "link set p0 up"
  for (node = 1; node <= nodes; node++) {
    print "netns add n" node
    if (way == "move") {
      print "link add link p0 name m" node " type macvlan mode bridge"
      print "link set m" node " netns n" node " name eth0"
    } else
      print "link add link p0 name eth0 netns n" node " type macvlan mode bridge"
  }
}' | ip -batch -

node=1
while [ "$node" -le "$nodes" ]; do
  ip -n "n$node" address add "10.1.$((node / 256)).$((node % 256))/16" dev eth0
  ip -n "n$node" link set eth0 up
  node=$((node + 1))
done

awk -v nodes="$nodes" 'BEGIN {
  for (node = 1; node <= nodes; node++) print "netns delete n" node
  print "link delete p0"
}' | ip -batch -
