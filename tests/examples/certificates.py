# SPDX-License-Identifier: MIT
"""A certificate authority for the tests beside this file, made with the openssl program."""
import subprocess

settings = """
[ca]
default_ca = authority
[authority]
database = {folder}/issued
new_certs_dir = {folder}
certificate = {folder}/authority.crt
private_key = {folder}/authority.key
rand_serial = yes
unique_subject = no
default_md = sha256
policy = anything
copy_extensions = copy
x509_extensions = issued
[issued]
authorityKeyIdentifier = keyid
[anything]
commonName = supplied
"""
elliptic = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


class authority:
    """Trust it with --cacert `file`; `folder` keeps its files."""

    def __init__(self, folder):
        self.folder = folder
        self.file = str(folder / "authority.crt")
        openssl("req", "-x509", *elliptic, "-days", 2, "-subj", "/CN=leat test authority",
                "-addext", "keyUsage=critical,keyCertSign,cRLSign",
                "-keyout", folder / "authority.key", "-out", self.file)
        (folder / "settings").write_text(settings.format(folder=folder))
        (folder / "issued").touch()

    def issue(self, name, host="IP:127.0.0.1", until="20991231235959Z"):
        """The path of a file with a new key and its certificate for `host`."""
        ends = ("key", "csr", "crt", "pem")
        key, asked, certificate, both = (self.folder / f"{name}.{end}" for end in ends)
        openssl("req", "-new", *elliptic, "-subj", f"/CN={name}", "-addext", f"subjectAltName={host}",
                "-keyout", key, "-out", asked)
        openssl("ca", "-config", self.folder / "settings", "-batch", "-notext",
                "-startdate", "20200101000000Z", "-enddate", until, "-in", asked, "-out", certificate)
        both.write_bytes(key.read_bytes() + certificate.read_bytes())
        return str(both)
