// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorABI
import Foundation

// Allocates in Swift, in Foundation and in C, and reports the sum.
struct Item: Codable {
  var name: String
  var values: [Int]
}

let items = (0..<200).map { Item(name: "item \($0)", values: Array(0..<$0)) }
let decoded = try JSONDecoder().decode([Item].self, from: JSONEncoder().encode(items))
let names = decoded.map { item in
  let copy = strdup(item.name)!
  defer { free(copy) }
  return String(cString: copy)
}
print(GlobalAllocator.name, decoded.reduce(0) { $0 + $1.values.reduce(0, +) }, names.joined().count)
