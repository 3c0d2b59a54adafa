// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorABI

// Laws about what is refused.
extension LawTrial {
  private var badAlignments: [Int] { [0, 3, 5, 6, 12, 24, 4097, 1 << 30 | 1, .max, -1, -2, -16, -4096, .min] }
  private var badSizes: [Int] { [-1, -2, -16, -4096, .min, .min + 1, .min + 16] }

  /// The arguments of every kind of bad input.
  private var badRequests: [(size: Int, align: Int)] {
    badAlignments.flatMap { align in [0, 1, 16, 100, 5000, .max].map { ($0, align) } }
      + badSizes.flatMap { size in [1, 8, 16, 64, 4096, 1 << 30].map { (size, $0) } }
      + [(-1, 0), (.min, .min), (-1, -1)]
  }

  func checkBadInput() throws {
    let printed = try OutputCapture.text { try checkBadInputQuietly() }
    if let printed, !printed.isEmpty {
      throw violation("while it refused bad input the process printed \"\(printed.prefix(200))\"")
    }
  }

  private func checkBadInputQuietly() throws {
    for (size, align) in badRequests {
      let pointer = rawAllocate(size: size, align: align)
      try expect(pointer == nil, "allocate(size: \(size), align: \(align)) returned \(pointer!), not nil")
      let zeroed = malloc.flatMap { $0.allocateZeroed(size, align) }
      try expect(zeroed == nil, "allocateZeroed(size: \(size), align: \(align)) returned \(zeroed!), not nil")
      let usable = usableSize(size: size, align: align)
      try expect(usable == size, "usableSize(size: \(size), align: \(align)) is \(usable), not \(size)")
    }
    for size in [1, 24, 100, 5000, 200_000] where size <= limits.largestSize {
      for align in [8, 16, 64] {
        let block = try allocateFilled(size: size, align: align)
        for bad in badRequests where bad.size < 0 ? true : bad.size < .max {
          // The block's own alignment with a bad size, or a bad alignment with a good size.
          let badAlign = bad.size < 0 && bad.align > 0 ? align : bad.align
          let call = "of \(block.name) to size \(bad.size), align \(badAlign),"
          let moved = rawReallocate(block.pointer, oldSize: size, size: bad.size, align: badAlign)
          try expect(moved == nil, "reallocate \(call) returned \(moved!), not nil")
          countStep()
          let result = Allocator.reallocateInPlace(block.pointer, oldSize: size, size: bad.size, align: badAlign)
          // With the block's own alignment the answer is its usable size. With a bad one it is that of the size alone,
          // which is the size; the block's true usable size is no lie either.
          let isRight = badAlign == align ? result == block.usable : result >= size && result <= block.usable
          try expect(isRight, "reallocateInPlace \(call) returned \(result), not \(block.usable)")
          let byPointer = bad.size < 0 ? malloc.flatMap { $0.reallocate(block.pointer, bad.size) } : nil
          try expect(byPointer == nil, "reallocate by pointer \(call) returned \(byPointer!), not nil")
        }
        try expectStillOwned(block, "after bad input to reallocate and reallocateInPlace")
        deallocate(block)
      }
    }
  }

  /// Sizes that no address space on this platform holds, the sums with alignment and headers overflowing among them.
  private var impossibleSizes: [Int] {
    [1 << 48, 1 << 55, 1 << 62, 1 << 62 + 1]
      + [0, 1, 7, 8, 15, 16, 17, 31, 63, 4095, 4096, 4097, 65_535, 1 << 21, 1 << 30].map { .max - $0 }
  }

  func checkExhaustion() throws {
    let aligns = [1, 8, 16, 32, 64, 4096, 1 << 16, 1 << 21, 1 << 30, 1 << 40, 1 << 61, 1 << 62]
    for size in impossibleSizes {
      for align in aligns {
        let pointer = rawAllocate(size: size, align: align)
        try expect(pointer == nil, "allocate(size: \(size), align: \(align)) returned \(pointer!), not nil")
        let zeroed = malloc.flatMap { $0.allocateZeroed(size, align) }
        try expect(zeroed == nil, "allocateZeroed(size: \(size), align: \(align)) returned \(zeroed!), not nil")
      }
    }
  }

  func checkFailedReallocation() throws {
    // The ownership of a block without bytes cannot be seen; that size comes last, after those that tell.
    for size in [24, 1, 100, 5000, 200_000, limits.largestSize, 0] where size <= limits.largestSize {
      for align in [8, 16, 64, 4096] {
        let block = try allocateFilled(size: size, align: align)
        for (index, impossible) in impossibleSizes.enumerated() {
          let moved = rawReallocate(block.pointer, oldSize: size, size: impossible, align: align)
          try expect(moved == nil, "reallocate of \(block.name) to size \(impossible) returned \(moved!), not nil")
          let when = "after reallocate to size \(impossible) returned nil"
          if index == 0 && size <= 200_000 { try expectStillOwned(block, when) }
          try expectContents(block, when)
        }
        if size <= 200_000 { try expectStillOwned(block, "after reallocate returned nil") }
        deallocate(block)
      }
    }
  }
}
