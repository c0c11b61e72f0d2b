package main

import (
	"fmt"
	"net/netip"
	"os/exec"
	"strings"
	"sync"
)

// network gives each pod a namespace with an address, and one more of IPv6 where the node has both. What always holds: every packet of a pod,
// also to a pod of the same node, is routed by the node (a link per pod, no bridge), so that kube-proxy's rules see it both ways; an address is
// given again only after all others.
type network struct {
	families []family

	mu   sync.Mutex
	last int
	used map[int]bool
	made int
}

// A family is the node's part of IPv4 or IPv6. Pods have the same number in both.
type family struct {
	prefix  netip.Prefix
	gateway netip.Addr
}

type podNetwork struct {
	// path is the namespace's, for setns.
	path string
	name string
	link string
	// addresses has one of each family; the first one is the pod's own.
	addresses []netip.Addr
	number    int
}

// Numbers of a node's pods are below; a /16 has more.
const podNumbers = 1 << 15

func newNetwork(cidrs []string) (*network, error) {
	n := &network{last: 1, used: map[int]bool{}}
	for _, cidr := range cidrs {
		prefix, err := netip.ParsePrefix(cidr)
		if err != nil {
			return nil, err
		}
		prefix = prefix.Masked()
		if prefix.Addr().BitLen()-prefix.Bits() < 16 {
			return nil, fmt.Errorf("%s is too small: a node's pods have a /16, or larger", cidr)
		}
		n.families = append(n.families, family{prefix: prefix, gateway: numbered(prefix, 1)})
	}
	return n, nil
}

// numbered gives the address of that number in a prefix.
func numbered(prefix netip.Prefix, number int) netip.Addr {
	bytes := prefix.Addr().AsSlice()
	last := len(bytes) - 1
	bytes[last] = byte(number)
	bytes[last-1] |= byte(number >> 8)
	address, _ := netip.AddrFromSlice(bytes)
	return address
}

// add makes the namespace of a sandbox.
func (n *network) add(sandboxID string) (*podNetwork, error) {
	pod := &podNetwork{name: sandboxID, path: "/run/netns/" + sandboxID}
	if err := n.take(pod); err != nil {
		return nil, err
	}
	if err := n.connect(pod); err != nil {
		n.remove(pod)
		return nil, err
	}
	return pod, nil
}

func (n *network) connect(pod *podNetwork) error {
	if err := ip("", "netns", "add", pod.name); err != nil {
		return err
	}
	if err := ip("", "link", "add", pod.link, "type", "veth", "peer", "name", "eth0", "netns", pod.name); err != nil {
		return err
	}
	node := []string{fmt.Sprintf("link set %s up", pod.link)}
	inside := []string{"link set lo up", "link set eth0 up"}
	for i, family := range n.families {
		gateway, address := host(family.gateway), host(pod.addresses[i])
		node = append(node,
			fmt.Sprintf("addr add %s dev %s%s", gateway, pod.link, atOnce(family.gateway)),
			fmt.Sprintf("route add %s dev %s", address, pod.link))
		inside = append(inside,
			fmt.Sprintf("addr add %s dev eth0%s", address, atOnce(family.gateway)),
			fmt.Sprintf("route add %s dev eth0", gateway),
			fmt.Sprintf("route add default via %s dev eth0", family.gateway))
	}
	if err := ip(strings.Join(node, "\n"), "-batch", "-"); err != nil {
		return err
	}
	return ip(strings.Join(inside, "\n"), "-n", pod.name, "-batch", "-")
}

func host(address netip.Addr) string {
	return fmt.Sprintf("%s/%d", address, address.BitLen())
}

// atOnce leaves out the second in which IPv6 looks for a duplicate.
func atOnce(address netip.Addr) string {
	if address.Is6() {
		return " nodad"
	}
	return ""
}

// remove takes all of it away; what is not there is no error.
func (n *network) remove(pod *podNetwork) {
	_ = ip("", "link", "del", pod.link)
	_ = ip("", "netns", "del", pod.name)
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.used, pod.number)
}

func (n *network) take(pod *podNetwork) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	for range podNumbers {
		n.last++
		if n.last >= podNumbers {
			n.last = 2
		}
		if n.used[n.last] {
			continue
		}
		n.used[n.last] = true
		n.made++
		pod.number, pod.link = n.last, fmt.Sprintf("pod%d", n.made)
		for _, family := range n.families {
			pod.addresses = append(pod.addresses, numbered(family.prefix, n.last))
		}
		return nil
	}
	return fmt.Errorf("all of the node's %d addresses are taken", podNumbers)
}

func ip(input string, args ...string) error {
	command := exec.Command("ip", args...)
	if input != "" {
		command.Stdin = strings.NewReader(input + "\n")
	}
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("ip %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(string(output)))
	}
	return nil
}
