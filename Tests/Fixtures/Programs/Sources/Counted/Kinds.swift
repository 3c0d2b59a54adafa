// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Glibc

// Objects of each kind, in numbers that are known.

final class Session {
  let number: Int
  var next: Session?
  init(_ number: Int) { self.number = number }
}

private final class HiddenSession { var number = 1 }

final class Box<Value> {
  var value: Value
  init(_ value: Value) { self.value = value }
}

struct Row { var (a, b, c) = (1, 2, 3) }

struct Key: Hashable { var number: Int }

struct Marker { var number: UInt16 }

actor Account { var balance = 0 }

struct Failure: Error { var code: Int }

protocol Shape {}
struct Polygon: Shape { var (a, b, c, d, e) = (1, 2, 3, 4, 5) }

final class Subscriber {
  var onEvent: () -> Int = { 0 }
  let session = Session(0)

  @inline(never) func subscribe(_ number: Int) { onEvent = { [session] in session.number &+ number } }
}

/// Of these there is none: all have been released, and what they left lies about in free memory.
final class Ghost { var (a, b, c) = (1, 2, 3) }

/// What is kept, and how many there are of each type.
struct Kept: @unchecked Sendable {
  static var isDebug: Bool {
    #if DEBUG
      true
    #else
      false
    #endif
  }

  /// By the name of the type.
  static let counts: [String: Int] = [
    "Counted.Session": 20_000 + 1_500, "Counted.HiddenSession": 300, "Counted.Box<Counted.Row>": 5_000,
    "Counted.Box<Swift.Array<Swift.Optional<Swift.String>>>": 400,
    "Swift._ContiguousArrayStorage<Counted.Marker>": 800, "Swift._DictionaryStorage<Counted.Key, Swift.Int>": 250,
    "Swift._SetStorage<Counted.Key>": 150, "Counted.Account": 700, "error Counted.Failure": 3_000,
    // A debug build makes boxes in a function of no name.
    "closure context or box\(isDebug ? "" : " made in Kept.init"), with Counted.Polygon": 4_000,
    "Counted.Subscriber": 1_500,
    "closure context made in Subscriber.subscribe, with Counted.Session and Swift.Int": 1_500,
    "Counted.Ghost": 0,
  ]
  /// Tasks that wait; there are others.
  static let taskCount = 50
  /// Raw blocks, by the bytes of each.
  static let raw: [Int: Int] = [4_000: 700, 40_000: 90, 300_000: 20, 3 << 20: 3]

  private var objects: [Any] = []
  private var errors: [any Error] = []
  private var shapes: [any Shape] = []
  private var blocks: [UnsafeMutableRawPointer] = []
  private var tasks: [Task<Void, Never>] = []
  /// Strings that are too long for what a string has in itself.
  private(set) var strings: [String] = []

  init() {
    var ghosts: [Ghost] = []
    for number in 0..<20_000 {
      for _ in 0..<3 { ghosts.append(Ghost()) }
      objects.append(Session(number))
      if number < 300 { objects.append(HiddenSession()) }
      if number < 5_000 { objects.append(Box(Row())) }
      if number < 400 { objects.append(Box<[String?]>([])) }
      // Of all sizes: from a small class to a mapping.
      if number < 800 { objects.append([Marker](repeating: Marker(number: 1), count: 1 + number * number)) }
      if number < 250 { objects.append([Key(number: number): number]) }
      if number < 150 { objects.append(Set([Key(number: number)])) }
      if number < 700 { objects.append(Account()) }
      if number < 3_000 { errors.append(Failure(code: number)) }
      if number < 4_000 { shapes.append(Polygon()) }
      if number < 1_500 {
        let subscriber = Subscriber()
        subscriber.subscribe(number)
        objects.append(subscriber)
      }
      if number < 600 { strings.append("text number \(number), longer than fifteen bytes") }
      if number < Self.taskCount {
        tasks.append(Task { await withUnsafeContinuation { continuations.add($0) } })
      }
      // A cycle, which is alive, though nobody has it.
      if number % 100 == 0, let session = objects.last as? Session { session.next = session }
    }
    for (size, count) in Self.raw {
      for _ in 0..<count {
        let block = malloc(size)!
        // Not what an object begins with, though it is an address.
        block.storeBytes(of: UInt(bitPattern: block), as: UInt.self)
        (block + 8).storeBytes(of: 3, as: UInt.self)
        blocks.append(block)
      }
    }
  }

  func cancel() { continuations.resume() }
}

let continuations = Continuations()

/// Tasks that wait for the end.
final class Continuations: @unchecked Sendable {
  private var mutex = pthread_mutex_t()
  private var waiting: [UnsafeContinuation<Void, Never>] = []

  init() { pthread_mutex_init(&mutex, nil) }

  func add(_ continuation: UnsafeContinuation<Void, Never>) {
    pthread_mutex_lock(&mutex)
    waiting.append(continuation)
    pthread_mutex_unlock(&mutex)
  }

  func resume() {
    pthread_mutex_lock(&mutex)
    waiting.forEach { $0.resume() }
    waiting = []
    pthread_mutex_unlock(&mutex)
  }
}
