"""
Judges every ledger of a folder with docs/verify.py; prints one JSON object by file name.
More arguments are a trust file and a head: what only these show stands under "outside".
"""

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
    alone = findings.all + findings.adopted
    outside = verify.Findings()
    if len(sys.argv) > 4 and verdict is not None and verdict.genesis is not None:
        verify.check_trust(verify.read_text(sys.argv[3]), verdict.genesis, outside)
        verify.check_head(verify.read_text(sys.argv[4]), verdict, outside)
    size = verdict.size if verdict else 0
    broken = len(findings.all) > 0
    judged[name] = {"size": size, "findings": alone, "broken": broken, "outside": outside.all}
tables = {
    "actions": {name: [c, sorted(f.split())] for name, (c, f) in verify.ACTIONS.items()},
    "facts": {kind: sorted(forms) for kind, forms in verify.FACTS.items()},
    "cited": {kind: sorted(members) for kind, members in verify.CITED.items()},
}
print(json.dumps({"judged": judged, "tables": tables}))
