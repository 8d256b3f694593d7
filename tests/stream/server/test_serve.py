import pytest

from selftalk.stream.server.serve import address
from selftalk.stream.server_config import ServerConfig


@pytest.mark.parametrize(
    ("host", "certificate", "url"),
    [
        ("127.0.0.1", "", "http://127.0.0.1:8765"),
        ("0.0.0.0", "", "http://127.0.0.1:8765"),
        ("::", "me.pem", "https://[::1]:8765"),
        ("studio.local", "me.pem", "https://studio.local:8765"),
    ],
)
def test_the_address_is_one_that_a_browser_opens(host, certificate, url):
    server = ServerConfig(host=host, tls_certificate=certificate)
    assert address(server, 8765) == url
