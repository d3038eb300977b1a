#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Recomputes the known answers of this directory by routes apart from the project's code.

    check.py             says for each file whether every value came out the same
    check.py --compose   writes ike_composed.json anew (its values have no document behind them)
    check.py --header    writes kernel/tests/transform_vectors.h anew, from esp_transforms.json

Needs Python's cryptography package for AES and EdDSA; everything else is integer arithmetic and hashlib.
"""
import hashlib
import hmac
import ipaddress
import json
import os
import struct
import sys

from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM, ChaCha20Poly1305

HERE = os.path.dirname(os.path.abspath(__file__))


def load(name):
    """The file's strings, as bytes but for those that are no hex."""
    with open(os.path.join(HERE, name), encoding="ascii") as f:
        return {k: v if k in ("source", "prf") else bytes.fromhex(v) for k, v in json.load(f).items()}


def prf(digest, key, data):
    return hmac.new(key, data, digest).digest()


def prf_plus(digest, key, seed, length):
    """RFC 7296 section 2.13."""
    out, t, n = b"", b"", 1
    while len(out) < length:
        t = prf(digest, key, t + seed + bytes([n]))
        out += t
        n += 1
    return out[:length]


def check_hmac(v):
    for key in v:
        case, _, digest = key.partition(".")
        if digest.startswith("sha"):
            yield key, v[key], prf(digest, v[case + ".key"], v[case + ".data"])


def check_kdf(v):
    nonces = v["ni"] + v["nr"]
    yield "skeyseed", v["skeyseed"], prf("sha256", nonces, v["g_ir"])
    seed = nonces + v["spi_i"] + v["spi_r"]
    yield "dkm", v["dkm"], prf_plus("sha256", v["skeyseed"], seed, len(v["dkm"]))
    yield "sk_d", v["sk_d"], v["dkm"][:32]
    want = v["child_keymat"]
    yield "child_keymat", want, prf_plus("sha256", v["sk_d"], nonces, len(want))
    want = v["child_keymat_with_dh"]
    yield "child_keymat_with_dh", want, prf_plus("sha256", v["sk_d"], v["g_ir_new"] + nonces, len(want))
    yield "skeyseed_rekey", v["skeyseed_rekey"], prf("sha256", v["sk_d"], v["g_ir_new"] + nonces)


def ladder(k, u, p, bits, a24):
    """RFC 7748 section 5."""
    x2, z2, x3, z3, swap = 1, 0, u, 1, 0
    for t in reversed(range(bits)):
        bit = k >> t & 1
        if swap != bit:
            x2, z2, x3, z3 = x3, z3, x2, z2
        swap = bit
        a, b, c, d = x2 + z2, x2 - z2, x3 + z3, x3 - z3
        aa, bb, da, cb = a * a % p, b * b % p, d * a % p, c * b % p
        x3, z3 = (da + cb) ** 2 % p, u * (da - cb) ** 2 % p
        x2, z2 = aa * bb % p, (aa - bb) * (aa + a24 * (aa - bb)) % p
    if swap:
        x2, z2 = x3, z3
    return x2 * pow(z2, p - 2, p) % p


def x25519(k, u):
    n = bytearray(k)
    n[0] &= 248
    n[31] = n[31] & 127 | 64
    u = int.from_bytes(u, "little") & ~(1 << 255)
    return ladder(int.from_bytes(n, "little"), u, 2**255 - 19, 255, 121665).to_bytes(32, "little")


def x448(k, u):
    n = bytearray(k)
    n[0] &= 252
    n[55] |= 128
    u = int.from_bytes(u, "little")
    return ladder(int.from_bytes(n, "little"), u, 2**448 - 2**224 - 1, 448, 39081).to_bytes(56, "little")


# Prime, b and base point of FIPS 186's curves; a is -3.
CURVES = {
    "ecp256": (2**256 - 2**224 + 2**192 + 2**96 - 1,
               0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b,
               0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296,
               0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5),
    "ecp384": (2**384 - 2**128 - 2**96 + 2**32 - 1,
               int("b3312fa7e23ee7e4988e056be3f82d19181d9c6efe814112"
                   "0314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aef", 16),
               int("aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b98"
                   "59f741e082542a385502f25dbf55296c3a545e3872760ab7", 16),
               int("3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147c"
                   "e9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f", 16)),
    "ecp521": (2**521 - 1,
               int("0051953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109e1"
                   "56193951ec7e937b1652c0bd3bb1bf073573df883d2c34f1ef451fd46b503f00", 16),
               int("00c6858e06b70404e9cd9e3ecb662395b4429c648139053fb521f828af606b4d3dba"
                   "a14b5e77efe75928fe1dc127a2ffa8de3348b3c1856a429bf97e7e31c2e5bd66", 16),
               int("011839296a789a3bc0045c8a5fb42c7d1bd998f54449579b446817afbd17273e662c"
                   "97ee72995ef42640c550b9013fad0761353c7086a272c24088be94769fd16650", 16)),
}


def point_add(a, b, p):
    if a is None or b is None:
        return a or b
    if a[0] == b[0] and (a[1] + b[1]) % p == 0:
        return None
    if a == b:
        slope = (3 * a[0] * a[0] - 3) * pow(2 * a[1], -1, p) % p
    else:
        slope = (b[1] - a[1]) * pow(b[0] - a[0], -1, p) % p
    x = (slope * slope - a[0] - b[0]) % p
    return x, (slope * (a[0] - x) - a[1]) % p


def point_multiply(k, point, p):
    result = None
    while k:
        if k & 1:
            result = point_add(result, point, p)
        point = point_add(point, point, p)
        k >>= 1
    return result


def pi_times_2_to(bits):
    """floor(pi * 2^bits) by Machin's formula, with 64 bits to spare."""
    one = 1 << (bits + 64)

    def arctan_inverse(x):
        term = total = one // x
        k, sign = 3, -1
        while term:
            term //= x * x
            total += sign * (term // k)
            k, sign = k + 2, -sign
        return total

    return 4 * (4 * arctan_inverse(5) - arctan_inverse(239)) >> 64


# RFC 3526: p = 2^n - 2^(n-64) - 1 + 2^64 * (floor(2^(n-130) pi) + c)
MODP = {"modp2048": (2048, 124476), "modp3072": (3072, 1690314), "modp4096": (4096, 240904)}


def check_ke(v):
    for name, f, base in ("x25519", x25519, 9), ("x448", x448, 5):
        size = len(v[name + ".A"])
        g = base.to_bytes(size, "little")
        yield name + ".A", v[name + ".A"], f(v[name + ".a"], g)
        yield name + ".B", v[name + ".B"], f(v[name + ".b"], g)
        yield name + ".secret", v[name + ".secret"], f(v[name + ".a"], v[name + ".B"])
    for name, (p, b, x, y) in CURVES.items():
        size = len(v[name + ".secret"])
        assert (y * y - x**3 + 3 * x - b) % p == 0
        shared = (x, y)
        for side in "ab":
            k = int.from_bytes(v[f"{name}.{side}"], "big")
            px, py = point_multiply(k, (x, y), p)
            shared = point_multiply(k, shared, p)
            yield f"{name}.{side.upper()}", v[f"{name}.{side.upper()}"], \
                px.to_bytes(size, "big") + py.to_bytes(size, "big")
        yield name + ".secret", v[name + ".secret"], shared[0].to_bytes(size, "big")
    for name, (bits, c) in MODP.items():
        p = 2**bits - 2**(bits - 64) - 1 + 2**64 * (pi_times_2_to(bits - 130) + c)
        a, b = (int.from_bytes(v[f"{name}.{side}"], "big") for side in "ab")
        for key, value in ("p", p), ("A", pow(2, a, p)), ("B", pow(2, b, p)), ("secret", pow(2, a * b, p)):
            yield f"{name}.{key}", v[f"{name}.{key}"], value.to_bytes(bits // 8, "big")


def cbc(key, iv, text):
    run = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    return run.update(text) + run.finalize()


def mgf1(digest, seed, length):
    """RFC 8017 appendix B.2.1."""
    out, n = b"", 0
    while len(out) < length:
        out += hashlib.new(digest, seed + n.to_bytes(4, "big")).digest()
        n += 1
    return out[:length]


def rsa_encoded(v, signature):
    """The encoded message that the signature is one of (RFC 8017 section 5.2.2)."""
    n = int.from_bytes(v["rsa.n"], "big")
    return pow(int.from_bytes(signature, "big"), int.from_bytes(v["rsa.e"], "big"), n).to_bytes(len(v["rsa.n"]), "big")


def pss_hash(v):
    """The H that the encoded message of a PSS signature must hold (RFC 8017 section 9.1.2); 2048 bits, SHA-384."""
    encoded, size = rsa_encoded(v, v["pss.signature"]), 48
    db, h = encoded[:-size - 1], encoded[-size - 1:-1]
    db = bytes(a ^ b for a, b in zip(db, mgf1("sha384", h, len(db))))
    digest = hashlib.sha384(v["pss.octets"]).digest()
    return h, hashlib.sha384(bytes(8) + digest + db[-size:]).digest()


ORDERS = {
    "256": 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551,
    "384": int("ffffffffffffffffffffffffffffffffffffffffffffffff"
               "c7634d81f4372ddf581a0db248b0a77aecec196accc52973", 16),
    "521": int("01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa"
               "51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409", 16),
}


def ecdsa_r(v, bits, digest):
    """The r that the signature's s stands for (FIPS 186-5 section 6.4.2)."""
    p, _, gx, gy = CURVES["ecp" + bits]
    order, size = ORDERS[bits], (int(bits) + 7) // 8
    public, signature = v[f"ecdsa{bits}.public"], v[f"ecdsa{bits}.signature"]
    x, y = (int.from_bytes(public[i:i + size], "big") for i in (0, size))
    r, s = (int.from_bytes(signature[i:i + size], "big") for i in (0, size))
    e = int.from_bytes(hashlib.new(digest, v["ecdsa.octets"]).digest(), "big")
    w = pow(s, -1, order)
    point = point_add(point_multiply(e * w % order, (gx, gy), p), point_multiply(r * w % order, (x, y), p), p)
    return (point[0] % order).to_bytes(size, "big")


def check_signature(v):
    # DigestInfo of SHA-256 (RFC 8017 section 9.2, note 1).
    info = bytes.fromhex("3031300d060960864801650304020105000420") + hashlib.sha256(v["rsa.octets"]).digest()
    yield "rsa", b"\0\1" + b"\xff" * (256 - 3 - len(info)) + b"\0" + info, rsa_encoded(v, v["rsa.signature"])
    yield "pss", *pss_hash(v)
    for bits, digest in ("256", "sha256"), ("384", "sha384"), ("521", "sha512"):
        signature = v[f"ecdsa{bits}.signature"]
        yield f"ecdsa{bits}", signature[:len(signature) // 2], ecdsa_r(v, bits, digest)
    for name, kind in ("ed25519", Ed25519PrivateKey), ("ed448", Ed448PrivateKey):
        key = kind.from_private_bytes(v[name + ".private"])
        yield name + ".public", v[name + ".public"], key.public_key().public_bytes_raw()
        yield name, v[name + ".signature"], key.sign(v[name + ".octets"])


def check_aes(v):
    for bits in "128", "192", "256":
        sealed = AESGCM(v[f"gcm{bits}.key"]).encrypt(v["gcm.salt"] + v["gcm.iv"], v["gcm.plain"], v["gcm.aad"])
        yield "gcm" + bits, v[f"gcm{bits}.text"] + v[f"gcm{bits}.tag"], sealed
        yield "cbc" + bits, v[f"cbc{bits}.text"], cbc(v[f"cbc{bits}.key"], v["cbc.iv"], v["cbc.plain"])


def check_esp(v):
    for case in {key.partition(".")[0] for key in v} - {"source"}:
        part = {name: v[f"{case}.{name}"] for name in ("key", "salt", "iv", "aad", "text", "encrypted", "icv")}
        yield case, part["encrypted"] + part["icv"], \
            AESGCM(part["key"]).encrypt(part["salt"] + part["iv"], part["text"], part["aad"])


# IANA's numbers (RFC 7296 section 3.3.2).
NULL, CBC, CTR, CCM_8, CCM_12, CCM_16, GCM_8, GCM_12, GMAC = 11, 12, 13, 14, 15, 16, 18, 19, 21
CHACHA, GCM_16_IIV, CHACHA_IIV = 28, 30, 31
HMACS = {12: ("sha256", 16), 13: ("sha384", 24), 14: ("sha512", 32)}
ICVS = {CCM_8: 8, CCM_12: 12, GCM_8: 8, GCM_12: 12}


def seal_aead(encr, p):
    """RFC 4106, 4309, 4543, 7634, and 8750 where no IV is sent."""
    aad = p["spi"] + p["seq_high"] + p["seq"]
    nonce = p["salt"] + (p["iv"] or (p["seq_high"] or bytes(4)) + p["seq"])
    if encr == GMAC:
        return p["text"], AESGCM(p["key"]).encrypt(nonce, b"", aad + p["iv"] + p["text"])
    if encr in (CCM_8, CCM_12, CCM_16):
        size = ICVS.get(encr, 16)
        sealed = AESCCM(p["key"], size).encrypt(nonce, p["text"], aad)
        return sealed[:-size], sealed[-size:]
    cipher = ChaCha20Poly1305 if encr in (CHACHA, CHACHA_IIV) else AESGCM
    sealed = cipher(p["key"]).encrypt(nonce, p["text"], aad)
    return sealed[:-16], sealed[-16:][:ICVS.get(encr, 16)]


def seal_hmac(encr, integ, p):
    """RFC 4303 section 2.2.1: the high half of the number is authenticated behind the text."""
    text = p["text"]
    if encr == CBC:
        text = cbc(p["key"], p["iv"], text)
    elif encr == CTR:
        # RFC 3686 section 4: blocks are counted from 1.
        run = Cipher(algorithms.AES(p["key"]), modes.CTR(p["salt"] + p["iv"] + bytes([0, 0, 0, 1]))).encryptor()
        text = run.update(text) + run.finalize()
    digest, size = HMACS[integ]
    return text, prf(digest, p["integ_key"], p["spi"] + p["seq"] + p["iv"] + text + p["seq_high"])[:size]


def seal_esp(p):
    encr, integ = p["encr"][0], p["integ"]
    return seal_hmac(encr, integ[0], p) if integ else seal_aead(encr, p)


ESP_PARTS = ("encr", "integ", "key", "salt", "integ_key", "spi", "seq_high", "seq", "iv", "text", "encrypted", "icv")


def esp_cases(v):
    for case in dict.fromkeys(key.rpartition(".")[0] for key in v if key != "source"):
        yield case, {part: v.get(f"{case}.{part}", b"") for part in ESP_PARTS}


def check_esp_transforms(v):
    for case, p in esp_cases(v):
        text, icv = seal_esp(p)
        yield case + ".encrypted", p["encrypted"], text
        yield case + ".icv", p["icv"], icv
    with open(HEADER, encoding="ascii") as f:
        yield HEADER, f.read(), vector_header(v)


HEADER = os.path.join(HERE, "../../kernel/tests/transform_vectors.h")
HEADER_TOP = """/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ESP packets of the transforms other than AES-GCM-16, from selftests/vectors/esp_transforms.json,
 * which says where they come from; written and checked by selftests/vectors/check.py.
 */
#ifndef _ESPLANE_TESTS_TRANSFORM_VECTORS_H
#define _ESPLANE_TESTS_TRANSFORM_VECTORS_H

#include "esp_vectors.h"

static const struct esp_vector transform_vectors[] = {
"""


def c_string(name, value):
    text = value.hex()
    lines = [text[i:i + 64] for i in range(0, len(text), 64)] or [""]
    return f"\t\t.{name} = " + "\n\t\t\t".join(f'"{line}"' for line in lines) + ",\n"


def vector_header(v):
    out = HEADER_TOP
    for case, p in esp_cases(v):
        out += f'\t{{\n\t\t.name = "{case}",\n\t\t.encr = {p["encr"][0]},\n'
        if p["integ"]:
            out += f'\t\t.integ = {p["integ"][0]},\n'
        out += c_string("key", p["key"] + p["salt"] + p["integ_key"])
        out += c_string("spi", p["spi"])
        if p["seq_high"]:
            out += c_string("seq_high", p["seq_high"])
        for name in "seq", "iv", "text", "encrypted", "icv":
            out += c_string(name, p[name])
        out += "\t},\n"
    return out + "};\n\n#endif\n"


def write_header():
    with open(HEADER, "w", encoding="ascii") as f:
        f.write(vector_header(load("esp_transforms.json")))


SPI_I = hashlib.shake_128(b"spi i").digest(8)
SPI_R = hashlib.shake_128(b"spi r").digest(8)
# One notify: next payload none, length 8, no protocol, no SPI, INITIAL_CONTACT.
INNER = bytes.fromhex("0000000800004000")


def stretch(text, length):
    return hashlib.shake_128(text.encode()).digest(length)


def message(iv, padding, icv_len, seal):
    """RFC 7296 sections 3.1 and 3.14: INFORMATIONAL, message ID 7, from the initiator."""
    length = 28 + 4 + len(iv) + len(INNER) + len(padding) + 1 + icv_len
    head = SPI_I + SPI_R + bytes([46, 0x20, 37, 0x08]) + struct.pack(">II", 7, length)
    head += bytes([41, 0]) + struct.pack(">H", length - 28)
    return head + iv + seal(head, iv, INNER + padding + bytes([len(padding)]))


def compose_messages(out):
    for bits in 128, 192, 256:
        key, iv = stretch(f"gcm {bits}", bits // 8 + 4), struct.pack(">Q", bits)
        out[f"gcm{bits}.sk_e"] = key
        out[f"gcm{bits}.message"] = message(
            iv, b"", 16, lambda aad, iv, text: AESGCM(key[:-4]).encrypt(key[-4:] + iv, text, aad))
    for bits, digest, icv_len in (128, "sha256", 16), (256, "sha384", 24), (192, "sha512", 32):
        key, iv = stretch(f"cbc {bits}", bits // 8), stretch(f"iv {bits}", 16)
        integ = stretch(f"auth {digest}", hashlib.new(digest).digest_size)

        def seal(aad, iv, text):
            text = cbc(key, iv, text)
            return text + prf(digest, integ, aad + iv + text)[:icv_len]

        out[f"cbc{bits}{digest}.sk_e"] = key
        out[f"cbc{bits}{digest}.sk_a"] = integ
        # 8 + 23 + 1 = 32: more padding than is needed.
        out[f"cbc{bits}{digest}.message"] = message(iv, b"\xaa" * 23, icv_len, seal)
    out["inner"] = INNER


def compose_auth(out):
    """RFC 7296 section 2.15."""
    psk, first, nonce = b"correct horse battery staple", stretch("message", 300), stretch("nonce", 32)
    identity = bytes([2, 0, 0, 0]) + b"moon.example.org"
    for digest in "sha256", "sha384", "sha512":
        sk_p = stretch("sk_p " + digest, hashlib.new(digest).digest_size)
        key = prf(digest, psk, b"Key Pad for IKEv2")
        out[f"auth.{digest}.sk_p"] = sk_p
        out[f"auth.{digest}"] = prf(digest, key, first + nonce + prf(digest, sk_p, identity))
    out.update({"auth.psk": psk, "auth.message": first, "auth.nonce": nonce, "auth.id": identity})


def compose_nat(out):
    """RFC 7296 section 2.23."""
    out.update({"nat.spi_i": SPI_I, "nat.spi_r": SPI_R})
    for name, address, port in ("v4", "192.0.2.17", 500), ("v6", "2001:db8::17", 4500):
        data = ipaddress.ip_address(address).packed + struct.pack(">H", port)
        out["nat." + name] = hashlib.sha1(SPI_I + SPI_R + data).digest()


def compose_keys(out):
    """RFC 7296 sections 2.14 and 2.17."""
    ni, nr, g_ir = stretch("ni", 32), stretch("nr", 48), stretch("g ir", 32)
    out.update({"keys.ni": ni, "keys.nr": nr, "keys.g_ir": g_ir, "keys.spi_i": SPI_I, "keys.spi_r": SPI_R})
    for name, digest, encr, integ in (("gcm256-sha384", "sha384", 36, 0),
                                      ("cbc128-sha256", "sha256", 16, 32),
                                      ("cbc256-sha512", "sha512", 32, 64)):
        size = hashlib.new(digest).digest_size
        skeyseed = prf(digest, ni + nr, g_ir)
        stream = prf_plus(digest, skeyseed, ni + nr + SPI_I + SPI_R, 3 * size + 2 * encr + 2 * integ)
        sk_d, at = stream[:size], 0
        out[f"keys.{name}.skeyseed"] = skeyseed
        for key, n in ("d", size), ("ai", integ), ("ar", integ), ("ei", encr), ("er", encr), ("pi", size), ("pr", size):
            out[f"keys.{name}.{key}"] = stream[at:at + n]
            at += n
        for way, secret in ("child", b""), ("child-pfs", g_ir):
            stream, at = prf_plus(digest, sk_d, secret + ni + nr, 2 * encr + 2 * integ), 0
            for key, n in ("encr_i", encr), ("integ_i", integ), ("encr_r", encr), ("integ_r", integ):
                out[f"keys.{name}.{way}.{key}"] = stream[at:at + n]
                at += n


def compose():
    out = {}
    for part in compose_messages, compose_auth, compose_nat, compose_keys:
        part(out)
    return out


def check_composed(v):
    want = compose()
    for key in sorted(set(v) | set(want)):
        if key != "source":
            yield key, v.get(key), want.get(key)


def write_composed():
    path = os.path.join(HERE, "ike_composed.json")
    with open(path, encoding="ascii") as f:
        source = json.load(f)["source"]
    with open(path, "w", encoding="ascii") as f:
        json.dump({"source": source, **{k: v.hex() for k, v in compose().items()}}, f, indent=1)
        f.write("\n")


CHECKS = {
    "hmac_sha2.json": check_hmac,
    "ikev2_kdf.json": check_kdf,
    "key_exchange.json": check_ke,
    "aes.json": check_aes,
    "aes_gcm_esp.json": check_esp,
    "esp_transforms.json": check_esp_transforms,
    "ike_composed.json": check_composed,
    "signature.json": check_signature,
}


def main():
    if sys.argv[1:] == ["--compose"]:
        write_composed()
    if sys.argv[1:] == ["--header"]:
        write_header()
    wrong = 0
    for name, check in CHECKS.items():
        values = list(check(load(name)))
        bad = [key for key, want, got in values if want != got]
        wrong += len(bad)
        print(f"{name}: {len(values) - len(bad)} of {len(values)} values are right", *bad)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
