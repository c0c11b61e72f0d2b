package main

import (
	"net/netip"
	"testing"
)

func TestNumbersAddressesAlikeInBothFamilies(t *testing.T) {
	n, err := newNetwork([]string{"10.10.0.0/16", "fd00:10:1::/64"})
	if err != nil {
		t.Fatal(err)
	}
	n.last = 255
	var pod podNetwork
	if err := n.take(&pod); err != nil {
		t.Fatal(err)
	}
	want := []netip.Addr{netip.MustParseAddr("10.10.1.0"), netip.MustParseAddr("fd00:10:1::100")}
	if pod.addresses[0] != want[0] || pod.addresses[1] != want[1] {
		t.Errorf("got %v, want %v", pod.addresses, want)
	}
}

func TestGivesAnAddressAgainOnlyAfterAllOthers(t *testing.T) {
	n, err := newNetwork([]string{"10.10.0.0/16"})
	if err != nil {
		t.Fatal(err)
	}
	// All but the network's own and the gateway's.
	seen := map[netip.Addr]bool{}
	for range podNumbers - 2 {
		var pod podNetwork
		if err := n.take(&pod); err != nil {
			t.Fatal(err)
		}
		address := pod.addresses[0]
		if seen[address] || address == n.families[0].gateway || address == n.families[0].prefix.Addr() {
			t.Fatalf("%s is given and must not be", address)
		}
		seen[address] = true
	}
	var more podNetwork
	if err := n.take(&more); err == nil {
		t.Fatalf("%v is given, and none is free", more.addresses)
	}
	delete(n.used, 7)
	if err := n.take(&more); err != nil || more.addresses[0].String() != "10.10.0.7" {
		t.Errorf("got %v, %v; want the one that is free again", more.addresses, err)
	}
}

func TestRefusesSmallPrefixes(t *testing.T) {
	for _, cidr := range []string{"10.10.0.0/24", "fd00::/120", "nonsense"} {
		if _, err := newNetwork([]string{cidr}); err == nil {
			t.Errorf("%s is taken", cidr)
		}
	}
}
