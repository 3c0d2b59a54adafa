// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import BenchmarkKit
import TestEffort
import XCTest

/// Runs the shapes as programs, on the C library's allocator.
final class AllocationShapesTests: XCTestCase {
  private func run(_ arguments: [String], environment: [String: String?] = [:]) throws -> ProgramRun {
    try Built.run(Command(Built.path(of: "AllocationShapes"), arguments, environment: environment))
  }

  private func shapes() throws -> [String] {
    try run(["--list"]).output.split(separator: "\n").map(String.init)
  }

  func testEveryShapeIsDecidedByItsSettings() throws {
    let shapes = try shapes()
    XCTAssertEqual(shapes.count, 16)
    for shape in TestEffort.choice(shapes, quick: Array(shapes.prefix(3))) {
      let run = try run([shape, "--scale", "0.01", "--threads", "3"])
      XCTAssertNil(run.failure, shape)
      XCTAssertEqual(try self.run([shape, "--scale", "0.01", "--threads", "3"]).output, run.output, shape)
      let other = try self.run([shape, "--scale", "0.01", "--threads", "3", "--seed", "2"])
      XCTAssertNotEqual(other.output, run.output, shape)
      XCTAssert(run.output.hasPrefix("malloc /"), run.output)
    }
  }

  func testShapesOfSeveralThreadsDoMoreWithMoreThreads() throws {
    let shapes = ["aligned", "pareto", "server", "producer", "exchange", "churn", "sharing", "relay", "mixture"]
    for shape in TestEffort.choice(shapes, quick: ["server", "exchange", "relay"]) {
      XCTAssertNotEqual(
        try run([shape, "--scale", "0.01", "--threads", "2"]).output,
        try run([shape, "--scale", "0.01", "--threads", "4"]).output, shape)
    }
  }

  func testBadArgumentsAreRefused() throws {
    for arguments in [[], ["nope"], ["small", "--scale"], ["small", "--scale", "x"], ["small", "--threads", "0"]] {
      XCTAssertEqual(try run(arguments).ending, .exited(64), "\(arguments)")
    }
  }

  /// Preloads functions that break the contract of malloc's family, one at a time.
  func testAllocatorThatMisbehavesIsFound() throws {
    let faults = [
      (
        "calloc", "calloc returned memory that is not zero",
        """
        void *calloc(size_t n, size_t s) { char *p = malloc(n * s); memset(p, n * s > 1000, n * s); return p; }
        """
      ),
      (
        "aligned", "posix_memalign returned a block that is not aligned",
        "int posix_memalign(void **p, size_t a, size_t s) { *p = malloc(s); return *p == 0; }"
      ),
      ("realloc", "realloc returned NULL", "void *realloc(void *p, size_t s) { return 0; }"),
    ]
    try Built.withTemporaryFolder { folder in
      for (shape, message, source) in faults {
        let file = folder.appendingPathComponent("\(shape).c").path
        try "#include <stdlib.h>\n#include <string.h>\n\(source)\n".write(
          toFile: file, atomically: true, encoding: .utf8)
        let library = folder.appendingPathComponent("\(shape).so").path
        let arguments = ["clang", "-shared", "-fPIC", "-fno-builtin", "-o", library, file]
        XCTAssertNil(try Built.run(Command("/usr/bin/env", arguments)).failure)
        let run = try run([shape, "--scale", "0.01"], environment: ["LD_PRELOAD": library])
        XCTAssertEqual(run.failure, "exited with status 70: AllocationShapes: \(message)")
      }
    }
  }
}
