import { expect, test } from "vitest";
import { isClosedAddress } from "./closed-addresses.ts";

const own = ["203.0.113.9", "2001:db8::9"];

test("private, link-local, metadata, shared and loopback addresses are closed in every form", () => {
  const forms = [
    "10.1.2.3",
    "172.31.255.255",
    "192.168.0.1",
    "169.254.169.254",
    "100.64.0.1",
    "100.127.255.255",
    "127.0.0.53",
    "0.0.0.0",
    "255.255.255.255",
    "224.0.0.1",
    "::",
    "::1",
    "::10.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:8.8.8.8",
    "0:0:0:0:0:ffff:a00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "2002:a00:1::1",
    "2001:0:1::1",
    "fd00::1",
    "fe80::1",
    "ff02::1",
  ];
  for (const address of forms) expect([address, isClosedAddress(address, own)]).toEqual([address, true]);
});

test("public addresses are open, the host's own are not, in whatever way they are written", () => {
  for (const address of ["8.8.8.8", "172.32.0.1", "100.128.0.1", "203.0.113.10", "2001:db8::1", "2600::1"])
    expect([address, isClosedAddress(address, own)]).toEqual([address, false]);
  for (const address of ["203.0.113.9", "2001:db8::9", "2001:0db8:0:0::0009"])
    expect([address, isClosedAddress(address, own)]).toEqual([address, true]);
});

test("what is no address is closed", () => {
  for (const text of ["", "example.com", "1.2.3", "010.0.0.1", "1.2.3.4.5", "0x7f000001"])
    expect([text, isClosedAddress(text, own)]).toEqual([text, true]);
});
