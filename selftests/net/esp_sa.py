#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Decrypts ESP packets of a capture with the keys in a file of Wireshark's, esp_sa.

usage: esp_sa.py ESP_SA PCAP

One line per ESP packet over IPv4 that the file has an SA for: SPI, sequence number, inner source and
destination, the UDP payload. Ends with an error if an ICV is wrong or none of the packets has an SA.

What it knows of the file is what Wireshark's dissector reads: protocol, source, destination, SPI,
encryption, its key with the salt behind it, authentication, its key.
"""
import csv
import hmac
import ipaddress
import struct
import sys

from esp import Aes, Gcm

ETHERNET_LEN = 14
PCAP_HEADER_LEN, RECORD = 24, struct.Struct("=IIII")
ESP = 50
# RFC 4868 section 2.3: half of the hash
HASHES = {"HMAC-SHA-256-128 [RFC4868]": ("sha256", 16), "HMAC-SHA-384-192 [RFC4868]": ("sha384", 24),
          "HMAC-SHA-512-256 [RFC4868]": ("sha512", 32)}


def open_gcm(packet, key, _):
    """RFC 4106: sections 3.1 and 5."""
    nonce, aad, text, icv = key[-4:] + packet[8:16], packet[:8], packet[16:-16], packet[-16:]
    gcm = Gcm(key[:-4])
    if gcm.tag(nonce, aad, text) != icv:
        raise ValueError("wrong ICV")
    return gcm.aes.crypt_ctr(nonce, 2, text)


def without_icv(packet, authentication):
    name, key = authentication
    digest, size = HASHES[name]
    if hmac.digest(key, packet[:-size], digest)[:size] != packet[-size:]:
        raise ValueError("wrong ICV")
    return packet[:-size]


def open_ctr(packet, key, authentication):
    """RFC 3686 section 4: blocks are counted from 1."""
    packet = without_icv(packet, authentication)
    return Aes(key[:-4]).crypt_ctr(key[-4:] + packet[8:16], 1, packet[16:])


def open_null(packet, _, authentication):
    return without_icv(packet, authentication)[8:]


ENCRYPTIONS = {"AES-GCM with 16 octet ICV [RFC4106]": open_gcm, "AES-CTR [RFC3686]": open_ctr,
               "NULL": open_null}


def key_of(text):
    return bytes.fromhex(text.removeprefix("0x"))


def read_sas(path):
    sas = {}
    with open(path, encoding="utf-8") as file:
        for protocol, src, dst, spi, encr, key, integ, integ_key in csv.reader(
                line for line in file if not line.startswith("#")):
            if protocol == "IPv4":
                sas[src, dst, int(spi, 0)] = ENCRYPTIONS[encr], key_of(key), (integ, key_of(integ_key))
    return sas


def packets(path):
    """IPv4 packets of a capture of Ethernet, from their IP header on."""
    with open(path, "rb") as file:
        file.read(PCAP_HEADER_LEN)
        while head := file.read(RECORD.size):
            frame = file.read(RECORD.unpack(head)[2])
            if frame[12:14] == b"\x08\x00":
                yield frame[ETHERNET_LEN:]


def inner_of(text):
    """Without the trailer (RFC 4303 section 2): padding 1 2 3, its length, next header IPv4."""
    pad_len, next_header = text[-2:]
    padding = text[len(text) - 2 - pad_len:-2]
    if next_header != 4 or padding != bytes(range(1, pad_len + 1)):
        raise ValueError("no trailer of ESP")
    return text[:len(text) - 2 - pad_len]


def show(ip, sas):
    src, dst = (str(ipaddress.ip_address(ip[at:at + 4])) for at in (12, 16))
    packet = ip[(ip[0] & 15) * 4:]
    spi, seq = struct.unpack_from(">II", packet)
    if (src, dst, spi) not in sas:
        return 0
    decrypt, key, authentication = sas[src, dst, spi]
    inner = inner_of(decrypt(packet, key, authentication))
    print(f"0x{spi:08x}", seq, *(ipaddress.ip_address(inner[at:at + 4]) for at in (12, 16)),
          inner[28:].decode(), flush=True)
    return 1


def main(sa_path, pcap_path):
    sas = read_sas(sa_path)
    shown = sum(show(ip, sas) for ip in packets(pcap_path) if ip[9] == ESP)
    if not shown:
        sys.exit("no packet has an SA")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except ValueError as error:
        sys.exit(str(error))
