"""Scans a server on localhost with sslyze: it takes a port and prints what it found."""

import json
import sys

from sslyze import (
    RobotScanResultEnum,
    ScanCommand,
    ScanCommandAttemptStatusEnum,
    Scanner,
    ServerNetworkLocation,
    ServerScanRequest,
    ServerScanStatusEnum,
)

versions = {
    "SSL_2_0": ScanCommand.SSL_2_0_CIPHER_SUITES,
    "SSL_3_0": ScanCommand.SSL_3_0_CIPHER_SUITES,
    "TLS_1_0": ScanCommand.TLS_1_0_CIPHER_SUITES,
    "TLS_1_1": ScanCommand.TLS_1_1_CIPHER_SUITES,
    "TLS_1_2": ScanCommand.TLS_1_2_CIPHER_SUITES,
    "TLS_1_3": ScanCommand.TLS_1_3_CIPHER_SUITES,
}
others = {
    ScanCommand.HEARTBLEED,
    ScanCommand.OPENSSL_CCS_INJECTION,
    ScanCommand.ROBOT,
    ScanCommand.SESSION_RENEGOTIATION,
    ScanCommand.TLS_1_3_EARLY_DATA,
    ScanCommand.TLS_COMPRESSION,
    ScanCommand.TLS_EXTENDED_MASTER_SECRET,
}
scanner = Scanner()
scanner.queue_scans(
    [
        ServerScanRequest(
            server_location=ServerNetworkLocation(
                "localhost", int(sys.argv[1]), ip_address="127.0.0.1"
            ),
            scan_commands=others.union(versions.values()),
        )
    ]
)
(scanned,) = scanner.get_results()
if scanned.scan_status is not ServerScanStatusEnum.COMPLETED:
    sys.exit(f"no scan: {scanned.connectivity_error_trace}")


def result(command):
    attempt = getattr(scanned.scan_result, command.value)
    if attempt.status is not ScanCommandAttemptStatusEnum.COMPLETED:
        sys.exit(f"{command}: {attempt.status}, {attempt.error_reason}, {attempt.error_trace}")
    return attempt.result


renegotiation = result(ScanCommand.SESSION_RENEGOTIATION)
robot = result(ScanCommand.ROBOT).robot_result
safe_from_robot = {
    RobotScanResultEnum.NOT_VULNERABLE_NO_ORACLE,
    RobotScanResultEnum.NOT_VULNERABLE_RSA_NOT_SUPPORTED,
}
holes = {
    "Heartbleed": result(ScanCommand.HEARTBLEED).is_vulnerable_to_heartbleed,
    "CCS injection": result(ScanCommand.OPENSSL_CCS_INJECTION).is_vulnerable_to_ccs_injection,
    "ROBOT": robot not in safe_from_robot,
    "insecure renegotiation": not renegotiation.supports_secure_renegotiation,
    "renegotiation by clients": renegotiation.is_vulnerable_to_client_renegotiation_dos,
    "early data": result(ScanCommand.TLS_1_3_EARLY_DATA).supports_early_data,
    "compression": result(ScanCommand.TLS_COMPRESSION).supports_compression,
    "no extended master secret": not result(
        ScanCommand.TLS_EXTENDED_MASTER_SECRET
    ).supports_ems_extension,
}
json.dump(
    {
        "ciphers": {
            name: [
                suite.cipher_suite.name for suite in result(command).accepted_cipher_suites
            ]
            for name, command in versions.items()
        },
        "holes": [name for name, is_open in holes.items() if is_open],
    },
    sys.stdout,
)
