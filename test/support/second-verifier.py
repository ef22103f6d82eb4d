"""Judges every ledger of a folder with docs/verify.py; prints one JSON object by file name."""

import functools
import importlib.util
import json
import os
import sys

spec = importlib.util.spec_from_file_location("verify", sys.argv[1])
verify = importlib.util.module_from_spec(spec)
spec.loader.exec_module(verify)
# Forks of one site share most of their signatures.
verify.ed25519 = functools.lru_cache(maxsize=None)(verify.ed25519)

judged = {}
for name in sorted(os.listdir(sys.argv[2])):
    if not name.endswith(".db"):
        continue
    findings = verify.Findings()
    verdict = verify.judge(os.path.join(sys.argv[2], name), findings)
    judged[name] = {"size": verdict.size if verdict else 0, "findings": findings.all + findings.adopted}
tables = {
    "actions": {name: [c, sorted(f.split())] for name, (c, f) in verify.ACTIONS.items()},
    "facts": {kind: sorted(forms) for kind, forms in verify.FACTS.items()},
    "cited": {kind: sorted(members) for kind, members in verify.CITED.items()},
}
print(json.dumps({"judged": judged, "tables": tables}))
