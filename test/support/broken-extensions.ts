/** Examples for the rules on extensions: each breaks the one rule that it names. */

import { broken, type Broken, GOOD, ISSUERS } from "./broken-cases.ts";
import {
  access,
  authorityKeyId,
  constraints,
  dns,
  ext,
  keyId,
  keyUsage,
  lists,
  permitted,
  policies,
  PURPOSE,
  purposes,
  subjectKeyId,
} from "./broken-certificate.ts";
import { bool, hexBytes, int, seq, tlv } from "./der.ts";

const { root } = GOOD;
const OCSP = "1.3.6.1.5.5.7.48.1";
const responder = "http://ocsp.example.org/";

const EXTENSIONS: readonly Broken[] = [
  broken("extension-once", "root", /key-usage stands twice/, {
    ext: { again: keyUsage("0000011") },
  }),
  broken("extension-unknown", "root", /1\.2\.3\.4 is not one/, {
    ext: { odd: ext("1.2.3.4", false, hexBytes("0500")) },
  }),
  broken("extension-missing", "root", /no key usage/, { ext: { usage: null } }),
  broken("extension-missing", "subordinate", /no certificate policies/, {
    ext: { policies: null },
  }),
  broken("extension-missing", "ocsp-responder", /no ocsp no check/, { ext: { noCheck: null } }),
  broken("extension-forbidden", "root", /must not hold ext key usage/, {
    ext: { purposes: purposes(PURPOSE.server) },
  }),
  broken("extension-forbidden", "ocsp-responder", /crl distribution points/, {
    ext: { lists: lists("http://pki.example.org/a.crl") },
  }),
  broken("extension-unusual", "root", /holds certificate policies/, {
    ext: { policies: policies("1.2.3.4") },
  }),
  broken("extension-critical", "root", /key usage is not critical/, {
    ext: { usage: keyUsage("0000011", false) },
  }),
  broken("extension-critical", "root", /subject key id is critical/, {
    ext: { subject: subjectKeyId(keyId(root.spki), true) },
  }),
  broken("subject-key-id", "subordinate", /not that of the key/, {
    ext: { subject: subjectKeyId(Buffer.alloc(20, 7)) },
  }),
  broken("authority-key-id", "subordinate", /not the subject key id of the issuer/, {
    ext: { authority: authorityKeyId(Buffer.alloc(20, 7)) },
  }),
  broken("authority-key-id", "root", /of a root is not its/, {
    ext: { authority: authorityKeyId(Buffer.alloc(20, 7)) },
  }),
];

const CONSTRAINTS: readonly Broken[] = [
  broken("basic-constraints-ca", "root", /says that it is none/, {
    ext: { constraints: constraints() },
  }),
  broken("basic-constraints-ca", "ocsp-responder", /made a CA/, {
    ext: { constraints: constraints(bool(true)) },
  }),
  broken("path-length-ca", "ocsp-responder", /no CA/, {
    ext: { constraints: constraints(int("00")) },
  }),
  broken("path-length-root", "root", /levels below it to 1/, {
    ext: { constraints: constraints(bool(true), int("01")) },
  }),
  broken(
    "path-length",
    "subordinate",
    /no CA below it/,
    {},
    { context: { issuer: ISSUERS.lastLevel } },
  ),
  broken(
    "path-length",
    "subordinate",
    /allows 0 levels below/,
    { ext: { constraints: constraints(bool(true), int("01")) } },
    { context: { issuer: ISSUERS.oneLevel } },
  ),
  broken(
    "path-length",
    "subordinate",
    /claims no limit/,
    { ext: { constraints: constraints(bool(true)) } },
    { context: { issuer: ISSUERS.oneLevel } },
  ),
  broken("key-usage", "root", /lacks cRLSign/, { ext: { usage: keyUsage("000001") } }),
  broken("key-usage", "root", /holds nonRepudiation/, { ext: { usage: keyUsage("0100011") } }),
  broken("key-usage", "ocsp-responder", /holds keyCertSign/, {
    ext: { usage: keyUsage("1000010") },
  }),
  broken("ext-key-usage", "subordinate", /lacks serverAuth/, {
    ext: { purposes: purposes(PURPOSE.client) },
  }),
  broken("ext-key-usage", "subordinate", /holds emailProtection/, {
    ext: { purposes: purposes(PURPOSE.server, PURPOSE.email) },
  }),
  broken("ext-key-usage", "ocsp-responder", /also for serverAuth/, {
    ext: { purposes: purposes(PURPOSE.ocsp, PURPOSE.server) },
  }),
  broken("ext-key-usage-once", "subordinate", /serverAuth twice/, {
    ext: { purposes: purposes(PURPOSE.server, PURPOSE.server) },
  }),
  broken(
    "ext-key-usage-nests",
    "subordinate",
    /issuer is not for clientAuth/,
    {},
    { context: { issuer: ISSUERS.serversOnly } },
  ),
];

const CONTENTS: readonly Broken[] = [
  broken("policies-once", "subordinate", /stands twice/, {
    ext: { policies: policies("2.23.140.1.2.1", "2.23.140.1.2.1") },
  }),
  broken("policies-any", "subordinate", /anyPolicy/, {
    ext: { policies: policies("2.5.29.32.0", "2.23.140.1.2.1") },
  }),
  broken("policies-reserved", "subordinate", /^0 reserved/, {
    ext: { policies: policies("1.2.3.4") },
  }),
  broken("policies-reserved", "subordinate", /^2 reserved/, {
    ext: { policies: policies("2.23.140.1.2.1", "2.23.140.1.2.2") },
  }),
  broken("name-constraints-empty", "subordinate", /are empty/, {
    ext: { names: ext("2.5.29.30", true, seq()) },
  }),
  broken("name-constraints-form", "subordinate", /leading dot/, {
    ext: { names: permitted(dns(".example.org")) },
  }),
  broken("name-constraints-form", "subordinate", /address and its mask/, {
    ext: { names: permitted(tlv(0x87, hexBytes("0a000000ff00ff00"))) },
  }),
  broken(
    "name-constraints-kept",
    "subordinate",
    /name CN=Issuing E1,O=Example,C=DE is not below a permitted name/,
    {},
    { context: { issuer: ISSUERS.othersOnly } },
  ),
  broken("url-scheme", "subordinate", /is not http/, {
    ext: { lists: lists("https://pki.example.org/a.crl") },
  }),
  broken("url-form", "subordinate", /plain form/, {
    ext: { lists: lists("http://user@pki.example.org/a.crl") },
  }),
  broken("url-form", "subordinate", /plain form/, {
    ext: { access: access(OCSP, "http://10.0.0.1/") },
  }),
  broken("url-once", "subordinate", /stands twice/, {
    ext: { access: access(OCSP, responder, responder) },
  }),
];

export const BROKEN_EXTENSIONS: readonly Broken[] = [...EXTENSIONS, ...CONSTRAINTS, ...CONTENTS];
