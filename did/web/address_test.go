package web

import (
	"context"
	"encoding/binary"
	"net"
	"net/http"
	"net/netip"
	"testing"
	"time"
)

func TestIsPublic(t *testing.T) {
	for address, want := range map[string]bool{
		"8.8.8.8": true, "1.1.1.1": true, "172.15.255.255": true, "172.32.0.0": true, "100.63.255.255": true, "100.128.0.0": true,
		"198.17.255.255": true, "223.255.255.255": true, "192.0.1.0": true,
		"2606:4700:4700::1111": true, "2a00:1450:4003:80c::200e": true, "2001:4860:4860::8888": true,

		"0.0.0.0": false, "0.1.2.3": false, "10.0.0.1": false, "100.64.0.1": false, "100.100.100.200": false,
		"127.0.0.1": false, "127.255.255.254": false, "168.63.129.16": false, "169.254.169.254": false, "169.254.170.2": false,
		"172.16.0.1": false, "172.31.255.255": false, "192.0.0.192": false, "192.0.2.1": false, "192.168.1.1": false,
		"198.18.0.1": false, "198.51.100.1": false, "203.0.113.1": false, "224.0.0.1": false, "239.255.255.255": false,
		"240.0.0.1": false, "255.255.255.255": false,
		"::": false, "::1": false, "::7f00:1": false, "::ffff:8.8.8.8": false, "64:ff9b::a00:1": false, "64:ff9b:1::1": false, "100::1": false,
		"2001::1": false, "2001:db8::1": false, "2002:7f00:1::": false, "3fff::1": false, "5f00::1": false,
		"fc00::1": false, "fd00:ec2::254": false, "fe80::1": false, "fe80::1%eth0": false, "fec0::1": false, "ff02::1": false,
	} {
		if got := isPublic(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s is public: %t, want %t", address, got, want)
		}
	}
}

// TestPrivateAddressesAreNotDialled resolves names to addresses that a stranger
// must not make us connect to.
func TestPrivateAddressesAreNotDialled(t *testing.T) {
	for _, address := range []string{
		"127.0.0.1", "127.1.2.3", "0.0.0.0", "10.1.2.3", "100.100.100.200", "169.254.169.254", "172.20.0.1", "192.168.0.1",
		"224.0.0.251", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254",
	} {
		for _, config := range []Config{{}, {AllowLoopback: true}} {
			config.Timeout = 2 * time.Second
			r := New(newClock().now, config)
			r.dialer.Resolver = nameServer(t, netip.MustParseAddr(address))
			if _, err := r.Resolve(t.Context(), "did:web:bank.example"); reasonOf(err) != "did-web-address" {
				t.Errorf("%s (loopback %t): %v", address, config.AllowLoopback, err)
			}
		}
	}
}

// TestLoopback shows that loopback is refused unless it is allowed, and that
// allowing it allows nothing else.
func TestLoopback(t *testing.T) {
	s := &site{documents: map[string]string{}}
	id := serve(t, s)
	s.documents["/.well-known/did.json"] = documentOf(id)
	if _, err := New(newClock().now, Config{}).Resolve(t.Context(), id); reasonOf(err) != "did-web-address" {
		t.Errorf("loopback, not allowed: %v", err)
	}
	if n := s.requests.Load(); n != 0 {
		t.Errorf("asked %d times", n)
	}
	r := New(newClock().now, Config{AllowLoopback: true})
	for _, address := range []string{"10.0.0.1:80", "169.254.169.254:80", "[::ffff:127.0.0.1]:80", "127.0.0.1:80"} {
		if conn, err := r.dial(t.Context(), "tcp", address); reasonOf(err) != "did-web-address" {
			t.Errorf("dial %s: %v, %v", address, conn, err)
		}
	}
	if _, err := r.Resolve(t.Context(), id); err != nil {
		t.Errorf("loopback, allowed: %v", err)
	}
}

func TestNoProxy(t *testing.T) {
	if New(newClock().now, Config{}).client.Transport.(*http.Transport).Proxy != nil {
		t.Error("a proxy would connect past the address check")
	}
}

// nameServer answers every question with one address.
func nameServer(t *testing.T, address netip.Addr) *net.Resolver {
	t.Helper()
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	go func() {
		query := make([]byte, 1500)
		for {
			n, from, err := server.ReadFrom(query)
			if err != nil {
				return
			}
			server.WriteTo(reply(query[:n], address), from)
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", server.LocalAddr().String())
	}}
}

// reply answers a DNS query (RFC 1035 §4) with the address, if it asks for that
// kind of address, and with nothing else.
func reply(query []byte, address netip.Addr) []byte {
	const header, typeA, typeAAAA = 12, 1, 28
	end := header
	for query[end] != 0 {
		end += int(query[end]) + 1
	}
	end += 5 // the root label, type and class
	asked, has := binary.BigEndian.Uint16(query[end-4:]), uint16(typeAAAA)
	if address.Is4() {
		has = typeA
	}
	message := append([]byte{query[0], query[1], 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0}, query[header:end]...)
	if asked == has {
		message[7] = 1
		message = append(message, 0xC0, header, 0, byte(has), 0, 1, 0, 0, 0, 0, 0, byte(len(address.AsSlice())))
		message = append(message, address.AsSlice()...)
	}
	return message
}
