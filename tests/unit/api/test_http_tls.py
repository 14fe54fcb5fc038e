"""TLS: who is trusted, and what it costs to find that out."""

from __future__ import annotations

import datetime as dt
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from airflow_provider_tiktokshop.api.errors import RequestNotSent
from airflow_provider_tiktokshop.api.http import Http
from tests.support.fault_server import Server, answer

QUERY = "app_secret=the-secret&refresh_token=TTP_r"


def certificate(directory: Path, address: str) -> Path:
    """Write a key and a certificate for ``address`` that signs itself, and return the file: it is its own CA, too."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tests")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = directory / f"{address}.pem"
    encoding = serialization.Encoding.PEM
    private = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(private + made.public_bytes(encoding))
    return file


class TlsServer(Server):
    @property
    def url(self) -> str:
        return super().url.replace("http:", "https:")


def serve(file: Path) -> TlsServer:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    # The handshake waits for the first read: a client that refuses must not end the loop that accepts.
    listener = socket.create_server(("127.0.0.1", 0))
    server = TlsServer(context.wrap_socket(listener, server_side=True, do_handshake_on_connect=False))
    server.will(answer(200, b"{}"))
    threading.Thread(target=server.run, daemon=True).start()
    return server


@pytest.fixture
def trusted(tmp_path: Path) -> Path:
    return certificate(tmp_path, "127.0.0.1")


@pytest.fixture
def tls_server(trusted: Path) -> Iterator[TlsServer]:
    server = serve(trusted)
    yield server
    server.stop()


@pytest.fixture
def http() -> Iterator[Http]:
    http = Http(connect_timeout=2, read_timeout=2)
    yield http
    http.close()


def test_the_ca_bundle_of_the_environment_is_trusted(http, tls_server, trusted, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(trusted))
    for fresh in (False, True):
        assert http.send("GET", f"{tls_server.url}/a?{QUERY}", fresh_connection=fresh).status == 200
    assert [seen.raw_query for seen in tls_server.seen] == [QUERY, QUERY]


@pytest.mark.parametrize("fresh", [False, True])
def test_a_certificate_of_an_unknown_authority_means_not_sent(http, tls_server, fresh):
    with pytest.raises(RequestNotSent) as caught:
        http.send("GET", f"{tls_server.url}/a?{QUERY}", fresh_connection=fresh)
    assert "SSLCertVerificationError" in str(caught.value)
    assert tls_server.seen == []


@pytest.mark.parametrize("fresh", [False, True])
def test_a_certificate_for_another_host_means_not_sent(http, tmp_path, monkeypatch, fresh):
    other = certificate(tmp_path, "127.0.0.9")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(other))
    server = serve(other)
    with pytest.raises(RequestNotSent) as caught:
        http.send("GET", f"{server.url}/a?{QUERY}", fresh_connection=fresh)
    server.stop()
    assert "SSLCertVerificationError" in str(caught.value)
    assert server.seen == []


def test_a_ca_bundle_that_is_not_there_means_not_sent(http, tls_server, tmp_path, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "gone.pem"))
    with pytest.raises(RequestNotSent) as caught:
        http.send("GET", f"{tls_server.url}/a?{QUERY}")
    assert "FileNotFoundError" in str(caught.value)
    assert tls_server.connections == 0


def test_the_authorities_are_loaded_once_and_not_for_each_connection(http, tls_server, trusted, monkeypatch):
    """Loading the usual bundle takes 16 ms of CPU: more than everything else about an exchange."""
    loads = []
    load = ssl.SSLContext.load_verify_locations

    def counted(self, *args, **kwargs):
        loads.append(kwargs or args)
        return load(self, *args, **kwargs)

    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", counted)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(trusted))
    for _ in range(3):
        http.send("GET", f"{tls_server.url}/token", fresh_connection=True)
        http.send("GET", f"{tls_server.url}/shops")
    assert tls_server.connections == 4
    assert len(loads) == 1


def test_a_closed_object_opens_its_connections_anew(http, tls_server, trusted, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(trusted))
    http.send("GET", f"{tls_server.url}/a")
    http.close()
    assert tls_server.closed.acquire(timeout=5)
    http.send("GET", f"{tls_server.url}/a")
    assert tls_server.connections == 2
