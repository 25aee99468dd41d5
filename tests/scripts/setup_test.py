#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""scripts/setup on machines that are not there: the commands it calls are replaced by little scripts."""

import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

SETUP = Path(__file__).resolve().parents[2] / "scripts/setup"
TOOLS = ["bash", "sh", "env", "grep", "mktemp", "rm", "tail", "cat", "chmod", "dirname"]


def machine(level="build", policy=None, tree=None, **commands):
    """Runs setup where only TOOLS and `commands` exist: (status, output, calls that RECORD recorded).
    `policy` is the machine's policy-rc.d, $LEAT_POLICY_FILE to commands. At the end it must be as it was.
    `tree` is where the checkout stands, with its build folders."""
    with tempfile.TemporaryDirectory() as folder:
        setup = Path(tree or folder, "scripts/setup")
        setup.parent.mkdir()
        shutil.copy(SETUP, setup)
        for name in TOOLS:
            real = next(f"{path}/{name}" for path in ("/usr/bin", "/bin") if os.path.exists(f"{path}/{name}"))
            os.symlink(real, f"{folder}/{name}")
        for name, script in commands.items():
            Path(folder, name.replace("_", "-")).write_text(f"#!/bin/bash\n{script}\n")
            Path(folder, name.replace("_", "-")).chmod(0o755)
        policy_file = Path(folder, "policy-rc.d")
        if policy is not None:
            policy_file.write_text(policy)
        environment = {"PATH": folder, "LOG": f"{folder}/log", "TMPDIR": folder,
                       "LEAT_POLICY_FILE": str(policy_file)}
        done = subprocess.run([f"{folder}/bash", setup, level], env=environment, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        calls = Path(folder, "log").read_text() if os.path.exists(f"{folder}/log") else ""
        assert (policy_file.read_text() if policy_file.exists() else None) == policy
        return done.returncode, done.stdout, calls


ROOT = "echo 0"
NOBODY = "echo 1000"
NOTHING = "exit 1"
EVERYTHING = 'for name in "${@:4}"; do echo "installed $name"; done'
ALL_BUT_MESON = EVERYTHING + " | grep -v ' meson$'"
RECORD = 'echo "$@" >>"$LOG"'
KNOWS_ALL = "exit 0"
ALL_BUT_NGINX = EVERYTHING + " | grep -v ' nginx$'"
ASK_POLICY = """
for service in nginx nginx.service haproxy haproxy.service postgresql postgresql@15-main.service cron; do
    "$LEAT_POLICY_FILE" $service start
    echo "$service $?" >>"$LOG"
done"""

REFUSED = ("nginx 101\nnginx.service 101\nhaproxy 101\nhaproxy.service 101\npostgresql 101\n"
           "postgresql@15-main.service 101\ncron 0\n")


class setup_test(unittest.TestCase):
    def test_nothing_missing_means_nothing_done_and_nothing_said(self):
        self.assertEqual(machine(dpkg_query=EVERYTHING, apt_get=RECORD, id=NOBODY), (0, "", ""))

    def test_root_installs_only_what_is_missing_and_says_so(self):
        status, output, calls = machine(dpkg_query=ALL_BUT_MESON, apt_get=RECORD, apt_cache=KNOWS_ALL,
                                        id=ROOT)
        self.assertEqual((status, output), (0, "setup: installing 1 packages: meson\n"))
        self.assertRegex(calls, r"^-q -y .*install --no-install-recommends meson\n$")

    def test_empty_package_lists_are_fetched_first(self):
        status, _, calls = machine(dpkg_query=NOTHING, apt_get=RECORD, apt_cache=NOTHING, id=ROOT)
        self.assertEqual(status, 0)
        self.assertRegex(calls, r"^[^\n]* update\n[^\n]* install [^\n]*\n$")

    def test_without_root_and_sudo_it_names_the_packages(self):
        status, output, calls = machine(dpkg_query=ALL_BUT_MESON, apt_get=RECORD, id=NOBODY)
        self.assertEqual((status, calls), (1, ""))
        self.assertIn("neither root nor is there sudo. Needed: meson", output)

    def test_a_sudo_that_refuses_is_named(self):
        status, output, _ = machine(dpkg_query=ALL_BUT_MESON, apt_get=RECORD, id=NOBODY, sudo="exit 1")
        self.assertEqual(status, 1)
        self.assertIn("sudo does not let us", output)

    def test_sudo_is_used_when_it_works(self):
        status, _, calls = machine(dpkg_query=ALL_BUT_MESON, apt_get=RECORD, apt_cache=KNOWS_ALL, id=NOBODY,
                                   sudo='[ "$1" = -n ] || "$@"')
        self.assertEqual(status, 0)
        self.assertIn("install", calls)

    def test_the_last_words_of_a_failing_apt_are_shown(self):
        broken = 'echo "E: no such host"; exit 100'
        status, output, _ = machine(dpkg_query=ALL_BUT_MESON, apt_get=broken, apt_cache=KNOWS_ALL, id=ROOT)
        self.assertEqual(status, 1)
        self.assertIn("E: no such host", output)
        self.assertIn("Needed: meson", output)

    def test_another_distribution_is_told_what_to_install(self):
        status, output, _ = machine(id=ROOT)
        self.assertEqual(status, 1)
        self.assertIn("not Debian", output)
        self.assertIn("liburing-dev", output)

    def test_nginx_is_installed_where_ci_runs_but_not_started_nor_at_the_next_boot(self):
        status, _, calls = machine("check", dpkg_query=ALL_BUT_NGINX, apt_get=ASK_POLICY, apt_cache=KNOWS_ALL,
                                   id=ROOT, **{"update-rc.d": RECORD})
        self.assertEqual((status, calls), (0, REFUSED + "nginx disable\n"))

    def test_haproxy_and_postgresql_neither(self):
        for service in ("haproxy", "postgresql"):
            missing = EVERYTHING + f" | grep -v ' {service}$'"
            status, _, calls = machine("check", dpkg_query=missing, apt_get=ASK_POLICY, apt_cache=KNOWS_ALL,
                                       id=ROOT, **{"update-rc.d": RECORD})
            self.assertEqual((status, calls), (0, REFUSED + f"{service} disable\n"))

    def test_the_policy_that_kept_nginx_from_starting_goes_when_the_install_fails_too(self):
        status, _, _ = machine("check", dpkg_query=ALL_BUT_NGINX, apt_get=NOTHING, apt_cache=KNOWS_ALL,
                               id=ROOT)
        self.assertEqual(status, 1)

    def test_a_policy_that_is_there_is_left_as_it_is(self):
        status, _, calls = machine("check", policy="#!/bin/sh\nexit 101\n", dpkg_query=ALL_BUT_NGINX,
                                   apt_get='cat "$LEAT_POLICY_FILE" >>"$LOG"', apt_cache=KNOWS_ALL, id=ROOT)
        self.assertEqual((status, calls), (0, "#!/bin/sh\nexit 101\n"))

    def test_folders_configured_without_what_it_installs_are_configured_again(self):
        for installed, record_after in ((ALL_BUT_MESON, ""), (EVERYTHING, "clang++-19")):
            with tempfile.TemporaryDirectory() as tree:
                record = Path(tree, "build-check/configured-with")
                record.parent.mkdir()
                record.write_text("clang++-19")
                status, _, _ = machine(tree=tree, dpkg_query=installed, apt_get=RECORD, apt_cache=KNOWS_ALL,
                                       id=ROOT)
                self.assertEqual((status, record.read_text()), (0, record_after))

    def test_an_unknown_level_is_an_error(self):
        self.assertEqual(machine("everything", dpkg_query=EVERYTHING)[0], 2)


if __name__ == "__main__":
    unittest.main()
