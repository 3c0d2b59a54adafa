// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation
import ProcessTestSupport
import TestEffort
import XCTest

final class InspectCommandTests: XCTestCase {
  private static func inspect(_ subject: String, environment: [String: String] = [:]) throws -> String {
    let result = try Tool.run(["inspect", subject], environment: environment)
    XCTAssertEqual(result.status, 0, result.transcript)
    return result.standardOutput
  }

  func testOrdinaryProgramGetsGlibcs() throws {
    let text = try Self.inspect("cat")
    XCTAssert(text.contains("malloc  glibc: /"), text)
    XCTAssert(text.contains("libc.so.6 is the first in the loader's order to export malloc"), text)
    XCTAssert(text.contains("one allocator, glibc\n"), text)
  }

  func testPreloadedLibraryComesFirst() throws {
    let library = try Tool.library("jemalloc")
    let text = try Self.inspect("cat", environment: ["LD_PRELOAD": library])
    XCTAssert(text.contains("malloc  jemalloc: \(library) is the first"), text)
    XCTAssert(text.contains("one allocator, jemalloc\n"), text)
  }

  func testLinkedLibraryComesFirst() throws {
    let scratch = try TemporaryFolder()
    let library = try Tool.library("jemalloc")
    let program = try scratch.compile("linked", "int main(void) { return 0; }", ["-Wl,--no-as-needed", library])
    XCTAssert(try Self.inspect(program).contains("one allocator, jemalloc\n"))
  }

  func testTwoAllocatorsAreCounted() throws {
    let scratch = try TemporaryFolder()
    let jemalloc = try Tool.library("jemalloc")
    let program = try scratch.compile("linked", "int main(void) { return 0; }", ["-Wl,--no-as-needed", jemalloc])
    let mimalloc = try Tool.library("mimalloc")
    let text = try Self.inspect(program, environment: ["LD_PRELOAD": mimalloc])
    XCTAssert(text.contains("malloc      mimalloc: \(mimalloc) is the first"), text)
    XCTAssert(text.contains("also there  jemalloc: its code is in"), text)
    XCTAssert(text.contains("two allocators, mimalloc and jemalloc\n"), text)
  }

  func testMallocOfTheProgramsOwn() throws {
    let scratch = try TemporaryFolder()
    let source = """
      #include <stddef.h>
      static char heap[65536];
      static size_t used;
      void *malloc(size_t size) { used += (size + 15) & ~(size_t)15; return heap + used - ((size + 15) & ~(size_t)15); }
      void free(void *block) { (void)block; }
      int main(void) { return 0; }
      """
    let program = try scratch.compile("own", source, ["-rdynamic"])
    let text = try Self.inspect(program)
    XCTAssert(text.contains("an allocator that the symbols do not name: the program itself exports malloc"), text)
  }

  func testStaticPrograms() throws {
    let scratch = try TemporaryFolder()
    let source = "#include <stdlib.h>\nint main(int n, char **a) { return malloc(n) == 0; }"
    let text = try Self.inspect(try scratch.compile("static", source, ["-static"]))
    XCTAssert(text.contains("glibc: linked into the static program"), text)
    XCTAssert(text.contains("ignores LD_PRELOAD"), text)
    let stripped = try Self.inspect(try scratch.compile("stripped", source, ["-static", "-s"]))
    XCTAssert(stripped.contains("unknown: the static program has no symbols left"), stripped)
  }

  /// The names are those that the Swift compiler gives to the functions behind the five symbols.
  func testFiveFunctionsAreNamedByTheirModule() throws {
    let scratch = try TemporaryFolder()
    let modules = [
      ("14GlobalJemalloc", "jemalloc"), ("12GlobalSystem", "glibc"), ("10GlobalNest", "nest"),
      ("18GlobalNestHardened", "nest-hardened"),
      ("11MyAllocator", "MyAllocator"),
    ]
    let programs = try modules.map { module, name in
      let symbol = "$s\(module)16exportedAllocate4size5alignSvSgSi_SitF"
      let source = """
        void *chosen(long size, long align) __asm__("\(symbol)");
        void *chosen(long size, long align) { return 0; }
        void *__rust_allocate(long size, long align) { return chosen(size, align); }
        int main(void) { return 0; }
        """
      return (try scratch.compile("artifact-\(name)", source), name)
    }
    try concurrently(programs) { program, name in
      XCTAssert(
        try Self.inspect(program).contains("five functions  \(name): \(program) defines __rust_allocate"), name)
    }
    let unchosen = try scratch.compile(
      "unchosen",
      "__attribute__((weak)) void *__rust_allocate(long s, long a) { return 0; }\nint main(void) { return 0; }")
    XCTAssert(try Self.inspect(unchosen).contains("five functions  glibc: "))
  }

  /// Each product, and each library for LD_PRELOAD, is one allocator, by the name that `allocators list` has for it.
  func testProductsOfThisPackage() throws {
    let programs = [
      ("AppSystem", "glibc"), ("AppUnchosen", "glibc"), ("AppDefault", "nest"), ("AppNest", "nest"),
      ("AppNestHardened", "nest-hardened"), ("AppJemalloc", "jemalloc"), ("AppMimalloc", "mimalloc"),
      ("AppTcmalloc", "tcmalloc"),
    ]
    // By default one whose library is linked, and one that has the allocator in itself.
    let chosen = TestEffort.choice(programs, quick: [programs[4], programs[5]])
    try concurrently(chosen) { program, name in
      let text = try Self.inspect(FixturePackage.programs.path(.release, of: program))
      XCTAssert(text.contains("malloc          \(name): "), text)
      XCTAssert(text.contains("five functions  \(name): "), text)
      XCTAssert(text.contains("one allocator, \(name)\n"), text)
    }
    try concurrently([("NestPreload", "nest"), ("NestHardenedPreload", "nest-hardened")]) { product, name in
      let library = try FixturePackage.programs.path(.release, of: "lib\(product).so")
      let text = try Self.inspect("/bin/sleep", environment: ["LD_PRELOAD": library])
      XCTAssert(text.contains("malloc          \(name): \(library) is the first"), text)
      XCTAssert(text.contains("five functions  \(name): \(library) defines"), text)
      XCTAssert(text.contains("one allocator, \(name)\n"), text)
    }
  }

  func testScriptIsItsInterpreter() throws {
    let scratch = try TemporaryFolder()
    let text = try Self.inspect(try scratch.script("script", "#! /bin/sh -e\ntrue\n"))
    XCTAssert(text.contains("a script for /bin/sh\n"), text)
    XCTAssert(text.contains("one allocator, glibc\n"), text)
  }

  /// A process that runs on jemalloc, while another allocator was opened later.
  func testProcess() throws {
    let jemalloc = try Tool.library("jemalloc")
    let scratch = try TemporaryFolder()
    let source = """
      #include <dlfcn.h>
      #include <stdio.h>
      int main(int count, char **names) {
        if (count > 1 && dlopen(names[1], RTLD_NOW) == NULL) return 1;
        puts("ready");
        fflush(stdout);
        return getchar() != EOF;
      }
      """
    let program = try scratch.compile("waiting", source, ["-ldl"])
    let later = try scratch.compile("later.so", "void *mi_malloc(unsigned long n) { return 0; }", ["-shared", "-fPIC"])
    let process = try StartedProgram([program, later], environment: ["LD_PRELOAD": jemalloc])
    XCTAssertEqual(process.line(), "ready")
    let text = try Self.inspect("\(process.processIdentifier)")
    let mapped = URL(fileURLWithPath: jemalloc).resolvingSymlinksInPath().path
    XCTAssert(text.contains("malloc      jemalloc: "), text)
    XCTAssert(text.contains(mapped.split(separator: "/").last!), text)
    XCTAssert(text.contains("also there  mimalloc: its code is in \(later)"), text)
    XCTAssert(text.contains("two allocators, jemalloc and mimalloc\n"), text)
  }

  func testRefusals() throws {
    let scratch = try TemporaryFolder()
    try Tool.checkRefusals([
      (["inspect"], 64, "path-or-pid"),
      (["inspect", "4194999"], 66, "no process 4194999"),
      (["inspect", "/no/such/file"], 66, "/no/such/file"),
      (["inspect", "no-such-program"], 127, "no-such-program"),
      (["inspect", "/etc/passwd"], 65, "not an executable file"),
    ])
    let cut = scratch.path("cut")
    try Data(contentsOf: URL(fileURLWithPath: "/bin/cat")).prefix(900).write(to: URL(fileURLWithPath: cut))
    try Tool.checkRefusal(["inspect", cut], status: 65, says: "ends early")
  }
}
