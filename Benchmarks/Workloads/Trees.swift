// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

/// Builds and tears down binary trees, short-lived ones of many sizes beside a long-lived one.
enum Trees {
  final class Node {
    let key: Int
    var left: Node?
    var right: Node?

    init(key: Int) {
      self.key = key
    }
  }

  static func run(repetitions: Int) -> UInt64 {
    var checksum = Checksum()
    var generator = Generator(state: 1)
    let longLived = searchTree(keys: 100_000, &generator)
    for _ in 0..<repetitions {
      // Random keys, inserted one by one: neighbours in the tree are far apart in memory.
      checksum.add(sum(searchTree(keys: 20_000, &generator)))
      // Complete trees, built in one go: neighbours in the tree are close together.
      for depth in stride(from: 4, through: 16, by: 4) {
        for _ in 0..<(1 << (16 - depth)) { checksum.add(sum(completeTree(depth: depth))) }
      }
    }
    checksum.add(sum(longLived))
    return checksum.value
  }

  private struct Generator {
    var state: UInt64

    mutating func next() -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33)
    }
  }

  private static func searchTree(keys: Int, _ generator: inout Generator) -> Node {
    let root = Node(key: 1 << 30)
    for _ in 0..<keys { insert(Node(key: generator.next()), below: root) }
    return root
  }

  private static func insert(_ node: Node, below root: Node) {
    var parent = root
    while true {
      if node.key < parent.key {
        guard let next = parent.left else {
          parent.left = node
          return
        }
        parent = next
      } else {
        guard let next = parent.right else {
          parent.right = node
          return
        }
        parent = next
      }
    }
  }

  private static func completeTree(depth: Int) -> Node {
    let node = Node(key: depth)
    if depth > 0 {
      node.left = completeTree(depth: depth - 1)
      node.right = completeTree(depth: depth - 1)
    }
    return node
  }

  private static func sum(_ node: Node) -> Int {
    node.key &+ (node.left.map(sum) ?? 0) &+ (node.right.map(sum) ?? 0)
  }
}
