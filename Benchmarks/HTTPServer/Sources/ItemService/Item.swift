// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation

/// A product of a shop: what the service sends and takes.
struct Item: Codable, Sendable {
  struct Price: Codable, Sendable {
    var amount: Int
    var currency: String
  }

  var id: Int
  var name: String
  var summary: String
  var price: Price
  var tags: [String]
  var isInStock: Bool

  /// An item that is the same for the same id every time.
  static func example(_ id: Int) -> Item {
    Item(
      id: id, name: "Item number \(id)", summary: String(repeating: "lorem ipsum ", count: id % 5 + 1),
      price: Price(amount: id * 37 % 10_000, currency: "EUR"), tags: (0..<(id % 4)).map { "tag-\(id)-\($0)" },
      isInStock: id % 3 != 0)
  }
}
