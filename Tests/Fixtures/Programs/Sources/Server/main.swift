// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorABI
import AllocatorAdapters
import Foundation

// What a server does, without the network: requests arrive on all cores, are decoded, worked on, written to files, read
// again, and answered. Prints a sum that does not depend on the order, and proves that all of it came from malloc.

struct Request: Codable, Sendable {
  var id: Int
  var path: String
  var headers: [String: String]
  var body: [Double]
}

struct Answer: Codable, Sendable {
  var id: Int
  var digest: Int
  var lines: [String]
}

actor Cache {
  private var answers: [Int: Answer] = [:]

  func remember(_ answer: Answer) {
    answers[answer.id % 100] = answer
  }

  var count: Int { answers.count }
}

func request(_ id: Int) throws -> Data {
  let headers = Dictionary(uniqueKeysWithValues: (0..<10).map { ("header-\($0)", "value \(id * $0)") })
  return try JSONEncoder().encode(
    Request(id: id, path: "/items/\(id)", headers: headers, body: (0..<(id % 50)).map { Double($0 * id) / 2 }))
}

func serve(_ data: Data, in folder: URL, cache: Cache) async throws -> Int {
  let request = try JSONDecoder().decode(Request.self, from: data)
  let lines = request.headers.map { "\($0.key.uppercased()): \($0.value)" }.sorted()
  let answer = Answer(id: request.id, digest: Int(request.body.reduce(0, +)) + lines.joined().count, lines: lines)
  await cache.remember(answer)
  let file = folder.appendingPathComponent("\(request.id)")
  try JSONEncoder().encode(answer).write(to: file)
  let again = try JSONDecoder().decode(Answer.self, from: Data(contentsOf: file))
  try FileManager.default.removeItem(at: file)
  return again.digest
}

let folder = FileManager.default.temporaryDirectory.appendingPathComponent("server-\(UUID().uuidString)")
try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
let cache = Cache()
let before = AllocatorCounts.current
let sum = try await withThrowingTaskGroup(of: Int.self) { group in
  for worker in 0..<16 {
    group.addTask {
      var sum = 0
      for id in 0..<50 { sum += try await serve(request(worker * 50 + id), in: folder, cache: cache) }
      return sum
    }
  }
  var total = 0
  for try await sum in group { total += sum }
  return total
}
try FileManager.default.removeItem(at: folder)
let after = AllocatorCounts.current
let blocks = after.allocations - before.allocations
print(GlobalAllocator.name, sum, await cache.count, blocks > 100_000 ? "all through malloc" : "only \(blocks) blocks")
