package web

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"syscall"

	"github.com/writ-trust/writ/did"
)

// dial connects to a host whose address is allowed. The check is made on the
// address that is about to be used, so that a name cannot resolve to a harmless
// one first and to another one later.
func (r *Resolver) dial(ctx context.Context, network, address string) (net.Conn, error) {
	allowed := isPublic
	if host, _, err := net.SplitHostPort(address); err == nil && host == localhost && r.config.AllowLoopback {
		allowed = netip.Addr.IsLoopback
	}
	dialer := r.dialer
	dialer.Control = func(_, address string, _ syscall.RawConn) error {
		to, err := netip.ParseAddrPort(address)
		if err != nil || !allowed(to.Addr()) {
			return &did.Error{Reason: "did-web-address", Detail: "the host has a private or special address"}
		}
		return nil
	}
	return dialer.DialContext(ctx, network, address)
}

// globalIPv6 holds all the IPv6 addresses in public use. NAT64, unique local,
// link-local and multicast addresses are outside.
var globalIPv6 = netip.MustParsePrefix("2000::/3")

// special are the ranges within unicast space that do not lead to a public host,
// by the IANA special-purpose registries (RFC 6890), and the address at which
// one cloud provider serves its machines' metadata. Other providers use
// link-local, shared or unique local ones.
var special = prefixes(
	"0.0.0.0/8",        // this network
	"10.0.0.0/8",       // private
	"100.64.0.0/10",    // shared, behind carriers' NAT
	"127.0.0.0/8",      // loopback
	"168.63.129.16/32", // Azure's platform
	"169.254.0.0/16",   // link-local, metadata
	"172.16.0.0/12",    // private
	"192.0.0.0/24",     // protocol assignments
	"192.0.2.0/24",     // documentation
	"192.88.99.0/24",   // 6to4 relays
	"192.168.0.0/16",   // private
	"198.18.0.0/15",    // benchmarks
	"198.51.100.0/24",  // documentation
	"203.0.113.0/24",   // documentation
	"224.0.0.0/4",      // multicast
	"240.0.0.0/4",      // reserved, broadcast
	"2001::/23",        // protocol assignments, Teredo
	"2001:db8::/32",    // documentation
	"2002::/16",        // 6to4: an IPv4 address inside
	"3fff::/20",        // documentation
)

func prefixes(list ...string) (parsed []netip.Prefix) {
	for _, s := range list {
		parsed = append(parsed, netip.MustParsePrefix(s))
	}
	return parsed
}

// isPublic reports whether an address may be a public host's. IPv4-mapped ones
// are not: they are dialled, and so looked at, in their IPv4 form.
func isPublic(a netip.Addr) bool {
	return (a.Is4() || globalIPv6.Contains(a)) &&
		!slices.ContainsFunc(special, func(p netip.Prefix) bool { return p.Contains(a) })
}
