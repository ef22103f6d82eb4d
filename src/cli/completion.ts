/** `keyrite completion`: words for a shell to complete, made from the commands as they are. */

import { shippedCeremonies } from "./package-root.ts";
import { KeyriteError } from "../lib/errors.ts";
import { printLine } from "./output.ts";

/** A command as commander shows it, as far as it is needed here. */
interface CommandTree {
  name(): string;
  readonly commands: readonly CommandTree[];
  readonly options: readonly OptionShape[];
  readonly registeredArguments: readonly { name(): string }[];
}

interface OptionShape {
  readonly flags: string;
  readonly long?: string | null | undefined;
  readonly description: string;
}

/** What can follow one command, e.g. `identity new`. */
export interface Completable {
  /** The command's words; empty for `keyrite` itself. */
  readonly words: string;
  readonly subcommands: readonly string[];
  readonly options: readonly CompletableOption[];
  /** True when its argument names a script, which may be a shipped ceremony or a file. */
  readonly takesScript: boolean;
}

export interface CompletableOption {
  readonly flag: string;
  readonly about: string;
  readonly takes: "nothing" | "folder" | "file" | "value";
}

const SHELLS = { bash: bashScript, zsh: zshScript, fish: fishScript } as const;

/** @throws KeyriteError usage.bad-option for a shell that is not known */
export function completion(shell: string, program: CommandTree): void {
  if (shell !== "bash" && shell !== "zsh" && shell !== "fish") {
    throw new KeyriteError("usage.bad-option", `there is no completion for ${shell}`, {
      hints: [`known are ${Object.keys(SHELLS).join(", ")}`],
    });
  }
  printLine(SHELLS[shell](completables(program), shippedCeremonies()));
}

/** Every command with what can follow it, `keyrite` itself first. */
export function completables(program: CommandTree): readonly Completable[] {
  const list = (command: CommandTree, words: string): readonly Completable[] => [
    {
      words,
      subcommands: command.commands.map((sub) => sub.name()),
      options: command.options.map(completableOption),
      takesScript: command.registeredArguments.some((argument) => argument.name() === "script"),
    },
    ...command.commands.flatMap((sub) => list(sub, `${words} ${sub.name()}`.trim())),
  ];
  return list(program, "");
}

function completableOption({ long, flags, description }: OptionShape): CompletableOption {
  const value = /[<[]([^>\]]*)[>\]]/.exec(flags)?.[1];
  const takes =
    value === undefined
      ? "nothing"
      : value === "dir"
        ? "folder"
        : /file|path|=dir|^card/.test(value)
          ? "file"
          : "value";
  return { flag: long ?? flags, about: description, takes };
}

/** The branch of a `case` for flags that take what `takes` says; none for no flags. */
function branch(command: Completable, takes: CompletableOption["takes"], act: string): string {
  const flags = command.options.filter((o) => o.takes === takes).map((o) => o.flag);
  return flags.length === 0 ? "" : `        ${flags.join("|")}) ${act}return ;;\n`;
}

function bashScript(commands: readonly Completable[], ceremonies: readonly string[]): string {
  const cases = commands.map((command) => {
    const words = [...command.subcommands, ...command.options.map((o) => o.flag)];
    const scripts = command.takesScript ? [...ceremonies, ...words] : words;
    const before = [
      branch(command, "folder", 'COMPREPLY=($(compgen -d -- "$current")); '),
      branch(command, "file", 'COMPREPLY=($(compgen -f -- "$current")); '),
      branch(command, "value", ""),
    ].join("");
    return `    "${command.words}")
      case "$before" in
${before}      esac
      COMPREPLY=($(compgen -W "${scripts.join(" ")}" -- "$current"))${
        command.takesScript ? '\n      COMPREPLY+=($(compgen -f -- "$current"))' : ""
      } ;;`;
  });
  const known = commands
    .slice(1)
    .map(({ words }) => `"${words}"`)
    .join("|");
  return `# bash completion for keyrite; in ~/.bashrc:  source <(keyrite completion bash)
_keyrite() {
  local current="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" words="" word
  COMPREPLY=()
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "\${words:+$words }$word" in
      ${known}) words="\${words:+$words }$word" ;;
    esac
  done
  case "$words" in
${cases.join("\n")}
  esac
}
complete -F _keyrite keyrite`;
}

function zshScript(commands: readonly Completable[], ceremonies: readonly string[]): string {
  return `# zsh completion for keyrite; in ~/.zshrc:  source <(keyrite completion zsh)
autoload -Uz bashcompinit && bashcompinit
${bashScript(commands, ceremonies)}`;
}

function fishScript(commands: readonly Completable[], ceremonies: readonly string[]): string {
  const lines = commands.flatMap((command) => {
    const words = command.words.split(" ").filter((word) => word !== "");
    const seen = words.map((word) => `__fish_seen_subcommand_from ${word}`);
    const free = `not __fish_seen_subcommand_from ${command.subcommands.join(" ")}`;
    const when = [...seen, ...(command.subcommands.length === 0 ? [] : [free])].join("; and ");
    const at = `complete -c keyrite -n ${quoted(when)}`;
    return [
      ...command.subcommands.map((name) => `${at} -f -a ${name}`),
      ...command.options.map((option) => `${at} ${fishOption(option)}`),
      ...(command.takesScript ? [`${at} -a ${quoted(ceremonies.join(" "))}`] : []),
    ];
  });
  return [
    "# fish completion for keyrite:  keyrite completion fish > ~/.config/fish/completions/keyrite.fish",
    ...lines,
  ].join("\n");
}

function fishOption({ flag, about, takes }: CompletableOption): string {
  const value = takes === "nothing" ? "" : takes === "value" ? " -x" : " -r -F";
  return `-l ${flag.replace(/^--/, "")}${value} -d ${quoted(about)}`;
}

/** In single quotes, as bash and fish read them. */
function quoted(text: string): string {
  return `'${text.replace(/\\/g, "\\\\").replace(/'/g, "\\'")}'`;
}
