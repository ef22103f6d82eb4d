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
    "keyrite verify ledger.db --trust trust.txt --head /media/eve/heads/pki.example.org~dc1.note",
  ],
  "backup verify": ["keyrite backup verify /media/safe-1/backup-20261124-k3xq --trust trust.txt"],
  "backup prove": ["keyrite backup prove backup-20261124-k3xq --vault onsite=/media/safe-1"],
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
