// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

/// JSON text (RFC 8259), written member by member.
struct JSONWriter {
  private(set) var text = ""
  private var needsComma = false

  init() {}

  mutating func object(_ name: String? = nil, _ body: (inout JSONWriter) -> Void) {
    begin(name)
    text += "{"
    needsComma = false
    body(&self)
    text += "}"
    needsComma = true
  }

  mutating func array(_ name: String, _ body: (inout JSONWriter) -> Void) {
    begin(name)
    text += "["
    needsComma = false
    body(&self)
    text += "]"
    needsComma = true
  }

  /// Of an array.
  mutating func element(_ value: String) {
    begin(nil)
    string(value)
  }

  mutating func null(_ name: String) {
    begin(name)
    text += "null"
  }

  mutating func member(_ name: String, _ value: Int?) {
    guard let value else { return null(name) }
    begin(name)
    text += "\(value)"
  }

  mutating func member(_ name: String, _ value: Bool) {
    begin(name)
    text += value ? "true" : "false"
  }

  mutating func member(_ name: String, _ value: Double?) {
    guard let value, value.isFinite else { return null(name) }
    begin(name)
    text += decimal(value, 3)
  }

  mutating func member(_ name: String, _ value: String?) {
    guard let value else { return null(name) }
    begin(name)
    string(value)
  }

  private mutating func begin(_ name: String?) {
    if needsComma { text += "," }
    needsComma = true
    if let name {
      string(name)
      text += ":"
    }
  }

  private mutating func string(_ value: String) {
    text += "\""
    for scalar in value.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case "\t": text += "\\t"
      case "\u{0}"..<" ":
        let code = String(scalar.value, radix: 16)
        text += "\\u" + String(repeating: "0", count: 4 - code.count) + code
      default: text.unicodeScalars.append(scalar)
      }
    }
    text += "\""
  }
}
