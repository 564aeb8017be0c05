/* The lower bound that netwright is measured against: N nodes of namespace + macvlan + address +
 * up, made and taken down by straight-line netlink on one thread, each request acknowledged.
 *
 *   cc -O2 -o limit bench/limit.c
 *   unshare --user --map-root-user --net ./limit 200
 *
 * In a user and network namespace of its own, as unshare(1) gives it, it does the same job as
 * `netwright run` does in a lab, and nothing is left of it when it ends. It prints how long each
 * part took, in seconds. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct request {
  struct nlmsghdr head;
  char body[1024];
};

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec + time.tv_nsec * 1e-9;
}

static void fail(const char *what, int node, int error) {
  fprintf(stderr, "limit: %s, node %d: %s\n", what, node, strerror(error));
  exit(1);
}

static int checked(const char *what, int node, int result) {
  if (result < 0) fail(what, node, errno);
  return result;
}

static int open_netlink(int node) {
  return checked("netlink socket", node,
                 socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
}

static int open_namespace(int node) {
  return checked("open namespace", node, open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
}

/* Starts a request; what follows its header is of this size and zero. */
static void *begin(struct request *request, int type, int flags, size_t size) {
  memset(request, 0, sizeof *request);
  request->head.nlmsg_type = type;
  request->head.nlmsg_flags = NLM_F_REQUEST | flags;
  request->head.nlmsg_len = NLMSG_LENGTH(size);
  return NLMSG_DATA(&request->head);
}

static struct rtattr *add(struct request *request, int type, const void *data, int length) {
  struct rtattr *attribute = (void *)((char *)request + NLMSG_ALIGN(request->head.nlmsg_len));
  attribute->rta_type = type;
  attribute->rta_len = RTA_LENGTH(length);
  if (length) memcpy(RTA_DATA(attribute), data, length);
  request->head.nlmsg_len = NLMSG_ALIGN(request->head.nlmsg_len) + RTA_ALIGN(attribute->rta_len);
  return attribute;
}

static void end(struct request *request, struct rtattr *nest) {
  nest->rta_len = (char *)request + request->head.nlmsg_len - (char *)nest;
}

/* Sends a request and takes one answer. */
static void exchange(int socket, struct request *request, char *answer, size_t size) {
  static int sequence;
  request->head.nlmsg_seq = ++sequence;
  checked("send", 0, send(socket, &request->head, request->head.nlmsg_len, 0));
  checked("receive", 0, recv(socket, answer, size, 0));
}

static void apply(int socket, struct request *request, const char *what, int node) {
  char answer[8192];
  request->head.nlmsg_flags |= NLM_F_ACK;
  exchange(socket, request, answer, sizeof answer);
  struct nlmsgerr *error = NLMSG_DATA((struct nlmsghdr *)answer);
  if (error->error) fail(what, node, -error->error);
}

static void add_parent(int socket) {
  struct request request;
  struct ifinfomsg *link = begin(&request, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, sizeof *link);
  link->ifi_flags = link->ifi_change = IFF_UP;
  add(&request, IFLA_IFNAME, "p0", 3);
  struct rtattr *info = add(&request, IFLA_LINKINFO, 0, 0);
  add(&request, IFLA_INFO_KIND, "veth", 4);
  end(&request, info);
  apply(socket, &request, "veth p0", 0);
}

static void add_macvlan(int socket, int parent, int namespace, int node) {
  struct request request;
  int mode = MACVLAN_MODE_BRIDGE;
  begin(&request, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, sizeof(struct ifinfomsg));
  add(&request, IFLA_IFNAME, "eth0", 5);
  add(&request, IFLA_LINK, &parent, sizeof parent);
  add(&request, IFLA_NET_NS_FD, &namespace, sizeof namespace);
  struct rtattr *info = add(&request, IFLA_LINKINFO, 0, 0);
  add(&request, IFLA_INFO_KIND, "macvlan", 7);
  struct rtattr *data = add(&request, IFLA_INFO_DATA, 0, 0);
  add(&request, IFLA_MACVLAN_MODE, &mode, sizeof mode);
  end(&request, data);
  end(&request, info);
  apply(socket, &request, "macvlan eth0", node);
}

static void set_up(int socket, int node) {
  struct request request;
  struct ifinfomsg *link = begin(&request, RTM_NEWLINK, 0, sizeof *link);
  link->ifi_flags = link->ifi_change = IFF_UP;
  add(&request, IFLA_IFNAME, "eth0", 5);
  apply(socket, &request, "eth0 up", node);
}

static int index_of(int socket) {
  struct request request;
  char answer[16384];
  begin(&request, RTM_GETLINK, 0, sizeof(struct ifinfomsg));
  add(&request, IFLA_IFNAME, "eth0", 5);
  exchange(socket, &request, answer, sizeof answer);
  return ((struct ifinfomsg *)NLMSG_DATA((struct nlmsghdr *)answer))->ifi_index;
}

static void add_address(int socket, int index, int node) {
  struct request request;
  unsigned local = htonl(0x0a010000 + node + 1);
  struct ifaddrmsg *address =
      begin(&request, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, sizeof *address);
  address->ifa_family = AF_INET;
  address->ifa_prefixlen = 16;
  address->ifa_index = index;
  add(&request, IFA_LOCAL, &local, sizeof local);
  add(&request, IFA_ADDRESS, &local, sizeof local);
  apply(socket, &request, "address", node);
}

static void delete_parent(int socket, int index) {
  struct request request;
  struct ifinfomsg *link = begin(&request, RTM_DELLINK, 0, sizeof *link);
  link->ifi_index = index;
  apply(socket, &request, "delete p0", 0);
}

/* Two descriptors a node are more than most shells allow. */
static void raise_open_files(void) {
  struct rlimit files;
  checked("getrlimit", 0, getrlimit(RLIMIT_NOFILE, &files));
  files.rlim_cur = files.rlim_max;
  checked("setrlimit", 0, setrlimit(RLIMIT_NOFILE, &files));
}

int main(int count, char **words) {
  int nodes = count == 2 ? atoi(words[1]) : 0;
  if (nodes < 1) {
    fprintf(stderr, "usage: limit NODES\n");
    return 2;
  }
  raise_open_files();
  int root = open_namespace(0), root_socket = open_netlink(0);
  int *namespaces = calloc(nodes, sizeof *namespaces), *sockets = calloc(nodes, sizeof *sockets);

  double start = now();
  add_parent(root_socket);
  int parent = if_nametoindex("p0");

  double parent_made = now();
  for (int node = 0; node < nodes; node++) {
    checked("unshare", node, unshare(CLONE_NEWNET));
    namespaces[node] = open_namespace(node);
    sockets[node] = open_netlink(node);
  }
  checked("setns", 0, setns(root, CLONE_NEWNET));

  double namespaces_made = now();
  for (int node = 0; node < nodes; node++)
    add_macvlan(root_socket, parent, namespaces[node], node);

  double links_made = now();
  for (int node = 0; node < nodes; node++) {
    set_up(sockets[node], node);
    add_address(sockets[node], index_of(sockets[node]), node);
  }

  double configured = now();
  for (int node = 0; node < nodes; node++) {
    close(sockets[node]);
    close(namespaces[node]);
  }
  delete_parent(root_socket, parent);

  double gone = now();
  printf("N=%d namespaces %.3f macvlans %.3f configuration %.3f made %.3f taken down %.3f\n", nodes,
         namespaces_made - parent_made, links_made - namespaces_made, configured - links_made,
         configured - start, gone - configured);
}
