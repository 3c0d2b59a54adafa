// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

/// A number of bytes for people: three digits at least, in KiB, MiB or GiB.
struct ByteCount: CustomStringConvertible {
  let bytes: Int

  init(_ bytes: Int) { self.bytes = bytes }

  var description: String {
    let units = ["bytes", "KiB", "MiB", "GiB", "TiB"]
    var value = Double(bytes)
    var unit = 0
    while abs(value) >= 1000, unit < units.count - 1 {
      value /= 1024
      unit += 1
    }
    return "\(unit > 0 && abs(value) < 10 ? decimal(value, 1) : "\(Int(value.rounded()))") \(units[unit])"
  }
}

/// A number of seconds for people.
struct TimeSpan: CustomStringConvertible {
  let seconds: Double

  init(_ seconds: Double) { self.seconds = max(seconds, 0) }

  var description: String {
    switch seconds {
    case ..<100: "\(Int(seconds.rounded())) s"
    case ..<6_000: "\(Int((seconds / 60).rounded())) min"
    case ..<172_800: "\(decimal(seconds / 3_600, 1)) h"
    default: "\(decimal(seconds / 86_400, 1)) days"
    }
  }
}

/// `value` with so many digits behind the point.
func decimal(_ value: Double, _ digits: Int) -> String {
  guard value.isFinite else { return "0" }
  var scale = 1.0
  for _ in 0..<digits { scale *= 10 }
  let scaled = Int((abs(value) * scale).rounded())
  let sign = value < 0 && scaled > 0 ? "-" : ""
  guard digits > 0 else { return "\(sign)\(scaled)" }
  let fraction = String(scaled % Int(scale))
  return "\(sign)\(scaled / Int(scale)).\(String(repeating: "0", count: digits - fraction.count))\(fraction)"
}
