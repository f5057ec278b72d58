/** Ethernet, ARP, IPv4, IPv6, ICMP: what carries datagrams between the guest and the NAT. */
@NullMarked
package parhelion.media.net.nat.ip;

import org.jspecify.annotations.NullMarked;
