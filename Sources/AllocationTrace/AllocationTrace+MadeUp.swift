// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

extension AllocationTrace {
  /// The bytes of a trace with these entries and a head that fits them as far as they make sense: for tests, which a checksum would keep
  /// from what is behind it.
  package static func file(entries: [UInt8], command: [UInt8] = [], hasTimes: Bool = false) -> [UInt8] {
    var summary = TraceSummary()
    summary.hasTimes = hasTimes
    let body = command + entries
    summary.bodyByteCount = UInt64(body.count)
    summary.commandByteCount = UInt64(command.count)
    summary.bodyChecksum = body.withUnsafeBytes { Checksum.of($0) }
    var parser = TraceParser(bytes: body, position: command.count, hasTimes: hasTimes)
    while let event = try? parser.next() { summary.count(event, live: parser.live) }
    summary.state = .whole
    return summary.encoded + body
  }
}
