# SPDX-License-Identifier: MIT
"""Every option of leat-fetch is in its manual, and in the completions of each shell, and no other one is; the
manual's table of exit statuses is that of the program; the manual has no mistakes of form."""
import re
import shutil
import subprocess
from pathlib import Path

from fetching import fetch
from programs import expect

project = Path(__file__).resolve().parent.parent.parent.parent
manual = project / "docs/leat-fetch.1"
completions = project / "packaging/completions"


def output_of(*command, **options):
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, **options)
    return done.returncode, done.stdout + done.stderr


def options_of_help():
    """Of "  -i,--input-file FILE ...  what it is" the names."""
    found = set()
    for names in re.findall(r"^  (-\S+)", fetch("--help").stdout, re.M):
        found.update(re.sub(r"\{.*", "", name) for name in names.split(","))
    expect(len(found) > 50, f"--help tells options: {found}")
    return found


def same(options, others, where):
    expect(options == others, f"options that only --help has: {sorted(options - others)}; "
                              f"that only {where} has: {sorted(others - options)}")


def options_of_manual():
    heads = [line for line in manual.read_text().splitlines() if line.startswith(".It Fl ")]
    return {"-" + name for line in heads for name in re.findall(r"\bFl (\S+)", line)}


def manual_has_no_mistakes():
    if shutil.which("mandoc"):
        _, told = output_of("mandoc", "-T", "lint", "-W", "warning", manual)
        mistakes = [line for line in told.splitlines() if manual.name in line]
        expect(not mistakes, "\n".join(mistakes))
    if shutil.which("groff"):
        status, told = output_of("groff", "-mdoc", "-ww", "-Tutf8", "-z", manual)
        expect(status == 0 and not told, told)


def exit_statuses_are_those_of_the_program():
    source = (project / "fetch/program/failure_notes.cpp").read_text()
    given = re.findall(r"case failure_kind::(\w+):\s+return (\d+);", source)
    told = re.findall(r"^\.It (\d+)\n(\w+): ", manual.read_text(), re.M)
    expected = [(number, kind) for kind, number in given if int(number) > 1]
    expect(len(told) > 10 and told == expected, f"{told} is not {expected}")


def completed_by_bash(*words):
    """What bash offers for the last of these words."""
    script = (f"source {completions}/leat-fetch.bash; COMP_WORDS=(leat-fetch \"$@\"); COMP_CWORD=$#; "
              "_leat_fetch; printf '%s\\n' \"${COMPREPLY[@]}\"")
    status, told = output_of("bash", "-c", script, "bash", *words)
    expect(status == 0, told)
    return set(told.split())


def bash_completes(options):
    same(options, completed_by_bash("-"), "bash")
    expect(completed_by_bash("--out") == {"--output", "--output-dir"}, "the beginning counts")
    expect(completed_by_bash("--if-there", "") == {"number", "skip", "replace", "fail"}, "choices")
    expect(completed_by_bash("--tries", "") == set(), "a number is not guessed")


def zsh_completes(options):
    file = completions / "leat-fetch.zsh"
    names = re.findall(r"(?<![\w(-])(?:'\(.*?\)'\{|'\*'\{|'\*?)(-[\w,-]+)[}\[]", file.read_text())
    same(options, {name for each in names for name in each.split(",")}, "zsh")
    if shutil.which("zsh"):
        status, told = output_of("zsh", "-n", file)
        expect(status == 0, told)


def fish_completes(options):
    file = completions / "leat-fetch.fish"
    text = file.read_text()
    names = {"-" + name for name in re.findall(r" -s (\S)", text)}
    same(options, names | {"--" + name for name in re.findall(r" -l (\S+)", text)}, "fish")
    if shutil.which("fish"):
        told = output_of("fish", "-N", "-c", f"source {file}; complete -C 'leat-fetch -'")[1]
        offered = {line.split("\t")[0] for line in told.splitlines()}
        expect(options <= offered, f"fish does not offer {sorted(options - offered)}: {told[:300]}")


def main():
    options = options_of_help()
    same(options, options_of_manual(), "the manual")
    manual_has_no_mistakes()
    exit_statuses_are_those_of_the_program()
    bash_completes(options)
    zsh_completes(options)
    fish_completes(options)


main()
