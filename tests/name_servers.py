"""A name server on this machine for tests of look-ups."""

import socket
import threading

import dns.message
import dns.rcode
import dns.rrset
import pytest


@pytest.fixture
def name_server(settings):
    """A name server that answers NS questions with these targets, refers to them, or answers with a code."""
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 0))
    answers = {"asked": [], "targets": (), "referral": (), "rcode": dns.rcode.NOERROR}

    def serve():
        while True:
            try:
                data, client = server.recvfrom(4096)
            except OSError:
                return
            question = dns.message.from_wire(data)
            reply = dns.message.make_response(question)
            reply.set_rcode(answers["rcode"])
            name = question.question[0].name
            answers["asked"].append(str(name))
            for section, targets in ((reply.answer, answers["targets"]), (reply.authority, answers["referral"])):
                if targets:
                    section.append(dns.rrset.from_text(name, 60, "IN", "NS", *targets))
            server.sendto(reply.to_wire(), client)

    threading.Thread(target=serve, daemon=True).start()
    settings.SETUP_WIZARD_RESOLVER = f"127.0.0.1:{server.getsockname()[1]}"
    yield answers
    server.close()
