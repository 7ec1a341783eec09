// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package eventpattern

import (
	"net/netip"
	"strconv"
	"strings"
)

// longestAddress is the length of an IPv6 address written out.
const longestAddress = 39

// parseAddr reads an IP address as EventBridge does: four decimal numbers, leading zeros allowed, or IPv6 without zone
// and without an IPv4 part.
func parseAddr(text []byte) (netip.Addr, bool) {
	if len(text) < 2 || len(text) > longestAddress {
		return netip.Addr{}, false
	}
	dots, colons := 0, 0
	for _, c := range text {
		switch {
		case c == '.':
			dots++
		case c == ':':
			colons++
		case '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F':
		default:
			return netip.Addr{}, false
		}
	}
	switch {
	case dots == 3 && colons == 0:
		return parseIPv4(text)
	case dots == 0 && colons >= 2:
		addr, err := netip.ParseAddr(string(text))
		return addr.Unmap(), err == nil
	}
	return netip.Addr{}, false
}

func parseIPv4(text []byte) (netip.Addr, bool) {
	var octets [4]byte
	index, value, digits := 0, 0, 0
	for _, c := range text {
		switch {
		case c == '.' && digits > 0:
			octets[index] = byte(value)
			index, value, digits = index+1, 0, 0
		case '0' <= c && c <= '9':
			if value = value*10 + int(c-'0'); value > 255 {
				return netip.Addr{}, false
			}
			digits++
		default:
			return netip.Addr{}, false
		}
	}
	octets[index] = byte(value)
	return netip.AddrFrom4(octets), digits > 0
}

// looksLikeAddress tells what EventBridge takes for an address that may be wrong, from what it takes for none.
func looksLikeAddress(s string) bool {
	if strings.Trim(s, "0123456789abcdefABCDEF:") == "" && strings.Contains(s, ":") {
		return true
	}
	parts := strings.Split(s, ".")
	for _, part := range parts {
		if part == "" || strings.Trim(part, "0123456789") != "" {
			return false
		}
	}
	return len(parts) == 4
}

// cidr compiles the operand of {"cidr": …}. EventBridge refuses blocks of a single address.
func cidr(n *node) (matcher, error) {
	if n.kind != kindString {
		return matcher{}, invalidf("prefix match pattern must be a string")
	}
	parts := strings.Split(strings.TrimRight(n.text, "/"), "/")
	if len(parts) != 2 {
		return matcher{}, invalidf("Malformed CIDR, one '/' required")
	}
	bits, err := strconv.Atoi(parts[1])
	if err != nil {
		return matcher{}, invalidf("Malformed CIDR, mask bits must be an integer")
	}
	if bits < 0 {
		return matcher{}, invalidf("Malformed CIDR, mask bits must not be negative")
	}
	addr, ok := parseAddr([]byte(parts[0]))
	switch {
	case !ok && looksLikeAddress(parts[0]):
		return matcher{}, invalidf("Invalid IP address: %s", parts[0])
	case !ok:
		return matcher{}, invalidf("Nonstandard IP address: %s", parts[0])
	case addr.Is4() && bits > 31:
		return matcher{}, invalidf("IPv4 mask bits must be < 32")
	case bits > 127:
		return matcher{}, invalidf("IPv6 mask bits must be < 128")
	}
	return matcher{op: opCIDR, block: netip.PrefixFrom(addr, bits).Masked()}, nil
}
