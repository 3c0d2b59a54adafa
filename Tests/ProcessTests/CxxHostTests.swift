// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation
import ProcessTestSupport
import TestEffort
import XCTest

/// C++ under a preloaded library, wherever the dynamic linker finds the C++ library, and whoever replaces what. What is asked of the
/// preloaded library is what happens without it.
final class CxxHostTests: XCTestCase {
  /// What is compiled, by the names below.
  private static let folder = Result {
    try CompiledFixture.folder("cxx-hosts") { folder in
      [
        "sh", "-ec",
        """
        cd "$1"
        c="clang -O1 -fno-builtin -Wall -Wextra -Werror"
        cxx="clang++ -std=c++17 -fsized-deallocation -O1 -Wall -Wextra -Werror"
        $c host.c -o "$2/host" -ldl
        $c -DSOME_OPERATORS host.c -o "$2/host_with_operators" -ldl -rdynamic
        $c closing.c -o "$2/closing" -ldl -pthread
        $c -c own_malloc.c -o "$2/own_malloc.o"
        $c -shared -fPIC own_malloc.c -o "$2/own_malloc.so"
        $c -shared -fPIC exchanging_plugin.c -o "$2/exchanging.so"
        $cxx -DOWN_MALLOC program.cpp "$2/own_malloc.o" -o "$2/program_with_malloc"
        $cxx program.cpp -o "$2/program"
        $cxx -shared -fPIC plugin.cpp -o "$2/plugin.so"
        for sized in "" -DREPLACES_SIZED; do
          $cxx $sized -shared -fPIC replacing_plugin.cpp -o "$2/replacing$sized.so"
          $cxx $sized -shared -fPIC replacing_helper.cpp -o "$2/libhelper$sized.so"
          $cxx -shared -fPIC helped_plugin.cpp -o "$2/helped$sized.so" -L"$2" -lhelper$sized -Wl,-rpath,'$ORIGIN'
        done
        """, "sh", Repository.fixtures.appendingPathComponent("CxxHosts").path, folder.path,
      ]
    }
  }

  private static let configurations: [FixturePackage.Configuration] = [.debug, .release]

  /// Those of release builds alone by default.
  private static let librariesOfAllBuilds = Result {
    try TestEffort.choice(configurations, quick: [.release]).flatMap { configuration in
      try PreloadLibrary.allCases.map { try $0.path(configuration) }
    }
  }

  private static func program(_ name: String) throws -> String {
    try folder.get().appendingPathComponent(name).path
  }

  /// Runs a host without and with each library: both print `expected`.
  private func open(_ mode: String, _ plugins: [String], expected: [String], host: String = "host") throws {
    let command = try [Self.program(host), mode] + plugins.map { try Self.program("\($0).so") }
    let libraries = try Self.librariesOfAllBuilds.get()
    let runs = try CommandResult.run(
      all: ([[]] + libraries.map { ["LD_PRELOAD=\($0)"] }).map { ["env"] + $0 + command })
    XCTAssertEqual(runs[0].lines, expected, "\(mode) \(plugins), nothing preloaded: \(runs[0].transcript)")
    for (library, run) in zip(libraries, runs.dropFirst()) {
      XCTAssertEqual(run.lines, expected, "\(mode) \(plugins), \(library): \(run.transcript)")
      XCTAssertEqual(run.status, 0, "\(mode) \(plugins), \(library): \(run.transcript)")
    }
  }

  /// Libraries with their names to themselves, shared, bound to their own first; closed again or not.
  func testCHost() throws {
    for mode in ["l", "g", "ld", "lc", "gc", "ldc"] {
      try open(mode, ["plugin", "plugin"], expected: ["3000", "3000"])
    }
  }

  /// Libraries that replace operator new and delete for themselves, or have another replace them. What is not theirs would be
  /// given a pointer that is no block of malloc's.
  func testLibrariesThatReplaceOperators() throws {
    for plugin in ["replacing", "replacing-DREPLACES_SIZED", "helped", "helped-DREPLACES_SIZED"] {
      for mode in ["l", "g", "ld", "lc"] { try open(mode, [plugin], expected: ["3000"]) }
    }
  }

  /// A program that has some of the operators, and no C++ library that has the others.
  func testSomeOperatorsAreMissing() throws {
    for mode in ["l", "g"] { try open(mode, ["plugin"], expected: ["3000"], host: "host_with_operators") }
  }

  /// A program that has its malloc built in, and one before whose malloc another was preloaded: what operator new gets from that
  /// one, operator delete gives back to it.
  func testAnotherMallocComesFirst() throws {
    try concurrently(Self.librariesOfAllBuilds.get()) { library in
      let builtIn = try CommandResult.run([Self.program("program_with_malloc")], environment: ["LD_PRELOAD": library])
      XCTAssertEqual(builtIn.lines, ["3000"], "\(library): \(builtIn.transcript)")
      XCTAssertEqual(builtIn.status, 0, "\(library): \(builtIn.transcript)")
      let preloaded = try CommandResult.run(
        [Self.program("program")], environment: ["LD_PRELOAD": "\(Self.program("own_malloc.so")) \(library)"])
      XCTAssertEqual(preloaded.lines, ["3000"], "\(library): \(preloaded.transcript)")
    }
  }

  /// The README's way out for a library that is opened with RTLD_DEEPBIND and releases what the C library has allocated.
  func testDeepBoundLibraryThatIsLinkedWithTheAllocator() throws {
    try concurrently(Self.librariesOfAllBuilds.get()) { library in
      let folder = try TemporaryFolder()
      let plugin = folder.path("exchanging_linked.so")
      let url = URL(fileURLWithPath: library)
      let linked = try CommandResult.run([
        "clang", "-O1", "-fno-builtin", "-shared", "-fPIC", "-Wl,--no-as-needed",
        Repository.fixtures.appendingPathComponent("CxxHosts/exchanging_plugin.c").path, "-o", plugin,
        "-L\(url.deletingLastPathComponent().path)", "-l\(url.deletingPathExtension().lastPathComponent.dropFirst(3))",
      ])
      XCTAssertEqual(linked.status, 0, linked.transcript)
      let run = try CommandResult.run(
        [Self.program("host"), "ld", plugin],
        environment: ["LD_PRELOAD": library, "LD_LIBRARY_PATH": url.deletingLastPathComponent().path])
      XCTAssertEqual(run.lines, ["5"], "\(library): \(run.transcript)")
      // With its names bound to the C library's, it cannot be helped: it is glibc that finds a block that is not its own.
      let other = try CommandResult.run(
        [Self.program("host"), "ld", Self.program("exchanging.so")], environment: ["LD_PRELOAD": library])
      if library.contains("Nest") {
        // It says so or crashes, by what lies before the block.
        XCTAssertLessThan(other.status, 0, "better than the README says: \(other.transcript)")
      }
    }
  }

  /// Closed while threads that have used it go on, and opened again.
  func testClosedPreloadLibrary() throws {
    try concurrently(Self.librariesOfAllBuilds.get()) { library in
      let run = try CommandResult.run(["timeout", "60", Self.program("closing"), library, "malloc"])
      XCTAssertEqual(run.lines, ["closed"], "\(library): \(run.transcript)")
    }
  }

  /// The same of a user's dynamic library that brings its allocator, in a program that has loaded Swift's libraries for itself: else
  /// those keep the library open.
  func testClosedDynamicLibrary() throws {
    try concurrently(TestEffort.choice(Self.configurations, quick: [.release])) { configuration in
      for name in ["Nest", "Jemalloc"] {
        let library = try FixturePackage.programs.path(configuration, of: "libClosed\(name).so")
        let swift = try CommandResult.run(["ldd", library]).lines.compactMap { line -> String? in
          let words = line.split { " \t".contains($0) }
          return words.count > 2 && words[0].hasPrefix("libswift") ? String(words[2]) : nil
        }
        XCTAssertFalse(swift.isEmpty)
        let run = try CommandResult.run(
          ["timeout", "60", Self.program("closing"), library, "library_work"],
          environment: [
            "LD_PRELOAD": swift.joined(separator: " "), "LD_BIND_NOW": "1", "SWIFT_BACKTRACE": "enable=no",
            "GLIBC_TUNABLES": "glibc.rtld.optional_static_tls=16384",
          ])
        XCTAssertEqual(run.lines, ["closed"], "\(library): \(run.transcript)")
      }
    }
  }

  /// An interpreter in C, and libraries in C++ and Fortran that it opens.
  func testNumpyAndScipy() throws {
    try XCTSkipUnless(TestEffort.isFull, TestEffort.reason)
    guard try CommandResult.run(["python3", "-c", "import numpy, scipy"]).status == 0 else {
      throw XCTSkip("skipped: python3 has no numpy and scipy, so they were not run: pip install numpy scipy")
    }
    let script = """
      import concurrent.futures, numpy as np, scipy.fft, scipy.linalg, scipy.optimize, scipy.sparse, scipy.sparse.linalg, scipy.spatial
      random = np.random.default_rng(1)
      a = random.standard_normal((120, 120))
      print(np.allclose(a @ np.linalg.inv(a), np.eye(120)), np.allclose(scipy.linalg.expm(a * 0), np.eye(120)))
      print(np.allclose(scipy.fft.ifft(scipy.fft.fft(a, workers=2), workers=2), a))
      s = scipy.sparse.random(2000, 2000, 0.002, random_state=1) + scipy.sparse.eye(2000) * 4
      print(np.linalg.norm(s @ scipy.sparse.linalg.spsolve(s.tocsc(), np.ones(2000)) - 1) < 1e-9)
      points = random.random((3000, 3))
      tree = scipy.spatial.cKDTree(points)
      print(len(tree.query_pairs(0.1)), len(scipy.spatial.ConvexHull(points).vertices), len(scipy.spatial.Delaunay(points).simplices))
      print(round(scipy.optimize.minimize(lambda x: (x[0] - 1) ** 2 + x[1] ** 2, [0, 1], method='L-BFGS-B').fun, 6))
      with concurrent.futures.ThreadPoolExecutor(8) as pool:
          print(sum(pool.map(lambda n: int(scipy.spatial.cKDTree(points[n:]).query(points[:50])[1].sum() >= 0), range(40))))
      """
    let libraries = try TestEffort.choice(
      Self.librariesOfAllBuilds.get(), quick: [PreloadLibrary.nest.path(.release)])
    let runs = try CommandResult.run(
      all: ([[]] + libraries.map { ["LD_PRELOAD=\($0)"] }).map { ["env"] + $0 + ["python3", "-c", script] })
    let expected = runs[0]
    XCTAssertEqual(expected.status, 0, expected.transcript)
    for (library, preloaded) in zip(libraries, runs.dropFirst()) {
      XCTAssertEqual(preloaded.standardOutput, expected.standardOutput, "\(library): \(preloaded.transcript)")
      XCTAssertEqual(preloaded.status, 0, "\(library): \(preloaded.transcript)")
    }
  }
}
