"""What docs/verify.py says of each Ed25519 vector of a file: the ids of those it accepts, as JSON."""

import importlib.util
import json
import sys

spec = importlib.util.spec_from_file_location("verify", sys.argv[1])
verify = importlib.util.module_from_spec(spec)
spec.loader.exec_module(verify)

key, accepted = b"", []
with open(sys.argv[2], encoding="utf-8") as lines:
    for value in map(json.loads, lines):
        if isinstance(value, dict):
            key = bytes.fromhex(value["group"])[-32:]
            continue
        try:
            if verify.ed25519(key, bytes.fromhex(value[2]), bytes.fromhex(value[3])):
                accepted.append(value[0])
        except verify.Refused:
            pass
print(json.dumps(accepted))
