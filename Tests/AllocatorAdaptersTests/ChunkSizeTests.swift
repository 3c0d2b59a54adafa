// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorAdapters
import Glibc
import SystemAllocator
import XCTest

/// The size that is read from a chunk of glibc's is the one that glibc reads.
final class ChunkSizeTests: XCTestCase {
  func testUsableSizeIsGlibcs() throws {
    // glibc's own function, also if another library were malloc in this process.
    let library = try XCTUnwrap(dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD))
    let symbol = try XCTUnwrap(dlsym(library, "malloc_usable_size"))
    typealias Function = @convention(c) (UnsafeMutableRawPointer?) -> Int
    let usableSize = unsafeBitCast(symbol, to: Function.self)

    // Small bins, the top of the heap, and chunks that are mapped by themselves, aligned or not.
    for size in Array(0..<2100) + [4096, 65536, 131_000, 132_000, 1 << 20, 40 << 20, (40 << 20) + 1] {
      for align in [16, 64, 4096] {
        let block = try XCTUnwrap(SystemAllocator.allocate(size: size, align: align))
        XCTAssertEqual(SystemAllocator.usableSize(of: block), usableSize(block), "\(size), \(align)")
        SystemAllocator.deallocate(block)
      }
    }
  }
}
