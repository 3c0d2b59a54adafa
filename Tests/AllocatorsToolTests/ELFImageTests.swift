// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import BenchmarkKit
import Foundation
import TestEffort
import XCTest

@testable import AllocatorsTool

final class ELFImageTests: XCTestCase {
  func testLibcIsReadRight() throws {
    let path = try XCTUnwrap(SharedLibraryDirectory().path(of: "libc.so.6"))
    let image = try ELFImage(contentsOf: path, depth: .dynamicSymbols)
    XCTAssertEqual(image.bits, 64)
    XCTAssert(image.isForThisMachine)
    XCTAssertEqual(image.type, .sharedObject)
    XCTAssertEqual(image.sharedName, "libc.so.6")
    XCTAssertFalse(image.isStaticProgram)
    XCTAssert(image.exports("malloc"))
    XCTAssert(image.exports("gnu_get_libc_version"))
    XCTAssertFalse(image.exports("mallctl"))
    XCTAssertEqual(AllocatorCode.allocators(in: image), ["glibc"])
  }

  /// Whatever a damaged file holds, reading it ends, with an error or an image.
  func testDamagedFilesDoNoHarm() throws {
    let whole = try Data(contentsOf: URL(fileURLWithPath: "/bin/true"))
    var refused = 0
    for length in stride(from: 0, to: whole.count, by: max(1, whole.count / 200)) {
      do { _ = try ELFImage(Data(whole.prefix(length)), depth: .allSymbols) } catch { refused += 1 }
    }
    XCTAssertGreaterThan(refused, 150)
    let seed = UInt64.random(in: .min ... .max)
    print("seed \(seed)")
    var random = SplitMix64(seed: seed)
    for _ in 0..<400 {
      var bytes = whole
      for _ in 0..<4 {
        let number = random.next()
        // Mostly in the headers, where numbers mean something.
        bytes[Int(number >> 33) % (number & 1 == 0 ? 1024 : whole.count)] = UInt8(truncatingIfNeeded: number >> 1)
      }
      _ = try? ELFImage(bytes, depth: .allSymbols)
    }
  }

  func testForeignFiles() throws {
    XCTAssertThrowsError(try ELFImage(Data("#!/bin/sh\n".utf8), depth: .headers)) {
      XCTAssertEqual($0 as? ELFImage.Malformed, ELFImage.Malformed(reason: "no ELF file"))
    }
    var bytes = Data([0x7F, 0x45, 0x4C, 0x46, 1, 2, 1] + [UInt8](repeating: 0, count: 57))
    bytes[17] = 2
    bytes[19] = 8
    let image = try ELFImage(bytes, depth: .allSymbols)
    XCTAssertEqual(image.bits, 32)
    XCTAssertEqual(image.machine, 8, "MIPS, big-endian")
    XCTAssertFalse(image.isForThisMachine)
  }

  func testMappedFilesAndPreloadedLibraries() {
    let maps = """
      55d0-55d2 r--p 00000000 fe:00 1 /usr/bin/a b
      55d2-55d4 r-xp 00002000 fe:00 1 /usr/bin/a b
      7f00-7f02 r-xp 00002000 fe:00 2                          /lib/libx.so
      7f02-7f04 r-xp 00004000 fe:00 2                          /lib/libx.so
      7f04-7f06 rw-p 00000000 00:00 0
      7f06-7f08 r-xp 00000000 00:00 0                          [vdso]
      """
    XCTAssertEqual(LoaderScope.mappedFiles(maps), ["/usr/bin/a b", "/lib/libx.so"])
    XCTAssertEqual(
      LoaderScope.preloaded(environment: Data("A=1\0LD_PRELOAD=/x.so:/y.so z\0B=2\0".utf8)), ["/x.so", "/y.so", "z"])
    XCTAssertEqual(LoaderScope.preloaded(environment: Data()), [])
  }

  /// A file of proc(5) comes a page at a time. The loader is mapped last, behind all libraries.
  func testProcessWithManyMappings() throws {
    try XCTSkipUnless(TestEffort.isFull, TestEffort.reason)
    let scope = try LoaderScope(ofProcess: Int(getpid()))
    let paths = (scope.objects + scope.openedLater).map(\.path)
    XCTAssertGreaterThan(paths.count, 10, "too few for this test: \(paths)")
    XCTAssertTrue(paths.contains { $0.contains("/ld-") }, "\(paths)")
  }
}
