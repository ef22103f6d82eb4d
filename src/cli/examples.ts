/** Examples for the help of each command: full lines that can be typed as they are. */

const EXAMPLES: Readonly<Record<string, readonly string[]>> = {
  init: [
    "keyrite init --site dc1 --origin pki.example.org/dc1 --policy policy.yaml \\",
    "    --founder /media/ana/keyrite/card.json=ceremony-administrator \\",
    "    --founder /media/ben/keyrite/card.json=custodian",
  ],
  "identity new": [
    'keyrite identity new --medium /media/ana --person ana --name "Ana Alvarez" --domain example.org',
  ],
  "identity show": ["keyrite identity show --medium /media/ana"],
  check: [
    'keyrite check generate-root-ca --set key=root-g1 --set "subject=CN=Example Root G1,O=Example,C=DE"',
    "keyrite check --schema",
  ],
  paper: [
    "keyrite paper initialize-token > script.md",
    "keyrite paper generate-root-ca --set key=root-g1 --html > script.html",
  ],
  run: [
    "keyrite run establish-site --medium ana=/media/ana --medium ben=/media/ben",
    "keyrite run --resume",
    "keyrite run --abandon",
  ],
  status: ["keyrite status --site dc1", "keyrite status --json"],
  verify: [
    "keyrite verify ledger.db --trust trust.txt --head /media/eve",
    'keyrite verify ledger.db --words "wallet decimal pheasant …" --head "139 crucial cellulose …"',
    "keyrite verify --ceremony 20261124-generate-root-ca-k3xq --site dc1",
  ],
  report: [
    "keyrite report --html --out report.html",
    "keyrite report 20261124-generate-root-ca-32zi --md --trust trust.txt",
    "keyrite report all --json",
  ],
  export: [
    "keyrite export /media/usb/evidence --site dc1",
    "keyrite export /media/usb/evidence --tar /media/usb/evidence.tar --json",
  ],
  archive: ["keyrite archive /media/usb/2026-h2 --after /media/usb/2026-h1"],
  prove: ["keyrite prove 42 --out entry-42.tlog-proof"],
  "verify-proof": [
    "keyrite verify-proof entry-42.tlog-proof --trust trust.txt --genesis genesis.json",
  ],
  "cosign request": ["keyrite cosign request --site dc1 --old 117 --out /media/usb/dc1.request"],
  "cosign sign": [
    "keyrite cosign sign dc1.request --medium /media/olga --trust trust.txt --out dc1.answer",
  ],
  "cosign accept": ["keyrite cosign accept /media/usb/dc1.answer --site dc1"],
  "timestamp request": ["keyrite timestamp request --site dc1 --out /media/usb/head.tsq"],
  "timestamp accept": [
    "keyrite timestamp accept head.tsr --site dc1 --request head.tsq --root tsa-root.pem",
  ],
  "timestamp verify": [
    "keyrite timestamp verify --site dc1 --root tsa-root.pem",
    "keyrite timestamp verify evidence-2026.tar --root tsa-root.pem",
  ],
  "backup verify": ["keyrite backup verify /media/safe-1/backup-20261124-k3xq --trust trust.txt"],
  "backup prove": ["keyrite backup prove backup-20261124-k3xq --vault onsite=/media/safe-1"],
  hierarchy: [
    "keyrite hierarchy root-ca.pem issuing-ca.pem root-ca.crl",
    "keyrite hierarchy outbox/*.pem --rules tls --html hierarchy.html",
  ],
  "hsm list": ["keyrite hsm list"],
  "hsm inspect": ["keyrite hsm inspect alpha"],
  doctor: ["keyrite doctor --site dc1"],
  completion: [
    "source <(keyrite completion bash)",
    "keyrite completion fish > ~/.config/fish/completions/keyrite.fish",
  ],
  demo: ["keyrite demo --out /tmp/demo", "keyrite demo generate-root-ca"],
};

export function exampleText(command: string): string {
  const lines = EXAMPLES[command];
  return lines === undefined ? "" : `\nExamples:\n${lines.map((line) => `  ${line}`).join("\n")}\n`;
}
