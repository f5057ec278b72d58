/**
 * Tests of the NAT from both of its sides: a guest with a TCP/IP of the tests' own, written from
 * the RFCs apart from the product's, and real sockets of the host.
 */
package parhelion.media.net.nat;
