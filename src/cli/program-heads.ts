/** The commands around heads and those who vouch for them, as commander knows them. */

import type { Command } from "commander";

const collect = (value: string, list: readonly string[]): readonly string[] => [...list, value];

const SITE = "the site's folder (else KEYRITE_SITE, else the current directory)";
const JSON_HELP = "print one JSON document on standard output";

export function addCosign(program: Command): void {
  const cosign = program
    .command("cosign")
    .description("have somebody elsewhere countersign a ledger's head, by file");
  cosign
    .command("request")
    .description("write a request for a cosignature on the newest head (C2SP tlog-witness)")
    .option("--site <dir>", SITE)
    .option("--old <size>", "size of the head that the cosigner carries; 0 when they carry none")
    .requiredOption("--out <file>", "the new file to write")
    .option("--json", JSON_HELP)
    .action(async (options) => (await import("./cosign.ts")).cosignRequest(options as never));
  cosign
    .command("sign")
    .argument("<request>", "the request as it came from the site")
    .description("check that the ledger only grew, and cosign its head with your identity")
    .requiredOption("--medium <dir>", "your own medium; it keeps the head")
    .requiredOption("--trust <file>", "trust file of that site, compared with its genesis sheet")
    .requiredOption("--out <file>", "the new file to write the answer to")
    .option("--answers <file>", "rehearse with answers from a file (test identities only)")
    .option("--answers-fd <n>", "take the passphrases of --answers from this descriptor")
    .option("--json", JSON_HELP)
    .action(async (request, options) =>
      (await import("./cosign.ts")).cosignSign(request as never, options as never),
    );
  cosign
    .command("accept")
    .argument("<answer>", "the answer as it came back")
    .description("keep its cosignatures beside the ledger")
    .option("--site <dir>", SITE)
    .option("--key <vkey>", "verifier key of a cosigner not on the roster (repeat)", collect, [])
    .option("--json", JSON_HELP)
    .action(async (answer, options) =>
      (await import("./cosign.ts")).cosignAccept(answer as never, options as never),
    );
}

export function addTimestamp(program: Command): void {
  const timestamp = program
    .command("timestamp")
    .description("have an outside authority say when it saw a ledger's head (RFC 3161), by file");
  timestamp
    .command("request")
    .description("write a request for a time stamp on the newest head")
    .option("--site <dir>", SITE)
    .requiredOption("--out <file>", "the new file to write, e.g. head.tsq")
    .option("--json", JSON_HELP)
    .action(async (options) => (await import("./timestamp.ts")).timestampRequest(options as never));
  timestamp
    .command("accept")
    .argument("<answer>", "the authority's answer, e.g. head.tsr")
    .description("judge an answer and keep it beside the ledger")
    .option("--site <dir>", SITE)
    .option("--request <file>", "the request it answers; its nonce is compared")
    .option("--root <file>", "root certificate of an authority you trust (repeat)", collect, [])
    .option("--json", JSON_HELP)
    .action(async (answer, options) =>
      (await import("./timestamp.ts")).timestampAccept(answer as never, options as never),
    );
  timestamp
    .command("verify")
    .argument("[bundle]", "an evidence bundle instead of the site: folder or .tar")
    .description("judge every time stamp that a site keeps, or that came in a bundle")
    .option("--site <dir>", SITE)
    .option("--root <file>", "root certificate of an authority you trust (repeat)", collect, [])
    .option("--json", JSON_HELP)
    .action(async (bundle, options) =>
      (await import("./timestamp.ts")).timestampVerify(bundle as never, options as never),
    );
}
