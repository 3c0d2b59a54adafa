// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation
import ProcessTestSupport
import TestEffort
import XCTest

@testable import AllocatorInsight

/// The profile of the process that runs the tests. With one byte between samples every block of 50 bytes or more is one, so that
/// counts are exact.
final class HeapProfilerTests: XCTestCase {
  override func tearDown() { HeapProfiler.stop() }

  /// What was allocated below a function with `name` in its name.
  private func amounts(_ profile: HeapProfile, below name: String) -> (
    allocated: HeapProfile.Amount, live: HeapProfile.Amount
  ) {
    var sum = (allocated: HeapProfile.Amount(), live: HeapProfile.Amount())
    for site in profile.sites where site.frames.contains(where: { $0.function.contains(name) }) {
      sum.allocated += site.allocated
      sum.live += site.live
    }
    return sum
  }

  private func finish() throws -> HeapProfile { try XCTUnwrap(HeapProfiler.stop()) }

  @inline(never) private func allocateWithMalloc(_ count: Int, _ size: Int) -> [UnsafeMutableRawPointer] {
    // Not by `map`: its code has no frame pointers, and to look for a stack there takes far longer.
    var blocks: [UnsafeMutableRawPointer] = []
    blocks.reserveCapacity(count)
    for _ in 0..<count { blocks.append(malloc(size)!) }
    return blocks
  }

  func testEveryBlockIsCountedAtOneByte() throws {
    try HeapProfiler.start(samplingEvery: 1)
    XCTAssertTrue(HeapProfiler.isRunning)
    let blocks = allocateWithMalloc(1_000, 7_777)
    for block in blocks.prefix(400) { free(block) }
    let profile = try finish()
    for block in blocks.dropFirst(400) { free(block) }
    XCTAssertFalse(HeapProfiler.isRunning)
    let site = try XCTUnwrap(profile.sites.first { $0.live.bytes.value == 600 * 7_777 }, "\(profile)")
    XCTAssertEqual(site.live.objects, HeapProfile.Estimate(600))
    XCTAssertEqual(site.allocated.objects, HeapProfile.Estimate(1_000))
    XCTAssertEqual(site.allocated.bytes, HeapProfile.Estimate(7_777_000))
    XCTAssertTrue(site.frames.contains { $0.function.contains("allocateWithMalloc") }, "\(site.frames)")
    XCTAssertEqual(site.live.bytes.standardError, 0)
  }

  @inline(never) private func allocateInEachWay() -> [UnsafeMutableRawPointer?] {
    var aligned: UnsafeMutableRawPointer?
    XCTAssertEqual(posix_memalign(&aligned, 256, 1_003), 0)
    let text = String(repeating: "x", count: 1_006)
    return [
      malloc(1_000), calloc(1, 1_001), realloc(malloc(500), 1_002), aligned, aligned_alloc(64, 1_004),
      valloc(1_005),
      UnsafeMutableRawPointer(strdup(text)), reallocarray(nil, 1, 1_008),
    ]
  }

  func testEachFunction() throws {
    // What the first call of some of these allocates for good is not to be among them.
    for block in allocateInEachWay() { free(block) }
    try HeapProfiler.start(samplingEvery: 1)
    let blocks = allocateInEachWay()
    let before = try XCTUnwrap(HeapProfiler.snapshot())
    for block in blocks { free(block) }
    let after = try finish()
    func sizes(_ profile: HeapProfile) -> [Int] {
      profile.sites.filter { $0.frames.contains { $0.function.contains("testEachFunction") } }
        .filter { $0.live.objects.value == 1 }.map { Int($0.live.bytes.value) }.filter { $0 >= 1_000 && $0 < 1_009 }
        .sorted()
    }
    // glibc's strdup has no frame pointer: its stack ends with it, and others' calls may be there as well.
    func duplicates(_ profile: HeapProfile) -> Double {
      profile.sites.filter { $0.frames.contains { $0.function == "strdup" } }.reduce(0) { $0 + $1.live.bytes.value }
    }
    XCTAssertEqual(
      sizes(before).filter { $0 != 1_007 }, [1_000, 1_001, 1_002, 1_003, 1_004, 1_005, 1_008])
    // strdup's block is a byte larger than the text.
    XCTAssertEqual(duplicates(before) - duplicates(after), 1_007, accuracy: 0.01)
    XCTAssertEqual(sizes(after), [])
  }

  @inline(never) private func growInVain(_ block: UnsafeMutableRawPointer?) { XCTAssertNil(realloc(block, .max / 2)) }

  @inline(never) private func allocateOnce() -> UnsafeMutableRawPointer? {
    let block = malloc(3_001)
    // No call that is the function's end, and has its caller's frame.
    block?.storeBytes(of: 1, as: UInt8.self)
    return block
  }

  func testAFailedReallocationKeepsTheOldBlock() throws {
    try HeapProfiler.start(samplingEvery: 1)
    let block = allocateOnce()
    growInVain(block)
    let before = try XCTUnwrap(HeapProfiler.snapshot())
    XCTAssertEqual(amounts(before, below: "allocateOnce").live.bytes.value, 3_001)
    let moved = realloc(block, 9_001)
    XCTAssertEqual(amounts(try XCTUnwrap(HeapProfiler.snapshot()), below: "allocateOnce").live.bytes.value, 0)
    // With a size of 0, realloc releases (glibc), which is no failure.
    XCTAssertNil(realloc(moved, 0))
    let after = try finish()
    XCTAssertFalse(after.sites.contains { $0.live.bytes.value == 9_001 })
  }

  func testRefusals() throws {
    for interval in [0, -1, 1 << 31, .max] {
      XCTAssertThrowsError(try HeapProfiler.start(samplingEvery: interval)) {
        XCTAssertEqual("\($0)", "an interval is from 1 byte to 1 GiB, and not \(interval)")
      }
    }
    try HeapProfiler.start()
    XCTAssertThrowsError(try HeapProfiler.start()) {
      XCTAssertEqual("\($0)", "a profile is under way in this process already")
    }
    XCTAssertNotNil(HeapProfiler.stop())
    XCTAssertNil(HeapProfiler.stop(), "none is under way")
    XCTAssertNotNil(HeapProfiler.snapshot(), "the last one can still be looked at")
    try HeapProfiler.start()
  }

  /// Who has asked for it is not there to stop it.
  func testAProfileWithAnEnd() throws {
    try HeapProfiler.start(samplingEvery: 1, seconds: 0.1)
    for _ in 0..<500 where HeapProfiler.isRunning { usleep(10_000) }
    XCTAssertFalse(HeapProfiler.isRunning)
    try HeapProfiler.start()
    XCTAssertTrue(HeapProfiler.isRunning)
  }

  func testNothingIsSampledAfterTheEnd() throws {
    try HeapProfiler.start(samplingEvery: 1)
    HeapProfiler.stop()
    let samples = HeapProfiler.state.samples
    for block in allocateWithMalloc(100, 100) { free(block) }
    XCTAssertEqual(HeapProfiler.state.samples, samples)
  }

  /// Estimates, and those of their errors, against the truth: sizes from far below the interval to far above it.
  func testEstimatesAreWithoutBias() throws {
    let sizes = [64, 500, 4_000, 30_000]
    // Of a block that is sampled with probability p, and counted as 1 / p then.
    let variance = sizes.reduce(0) { sum, size in
      let p = 1 - exp(-Double(size) / 4_096)
      return sum + 500 * (1 - p) / p
    }
    var deviations: [[Double]] = [[], []], variances: [[Double]] = [[], []]
    // What is allowed is six standard deviations, or more, of what so many rounds come to.
    let (rounds, bias, spreads) = TestEffort.isFull ? (60, 0.8, 0.5...1.6) : (25, 1.2, 0.35...2)
    let relativeVariances = TestEffort.isFull ? 0.7...1.3 : 0.55...1.45
    for _ in 0..<rounds {
      try HeapProfiler.start(samplingEvery: 4_096)
      var blocks: [UnsafeMutableRawPointer] = []
      for size in sizes { blocks += allocateWithMalloc(500, size) }
      let profile = try finish()
      for block in blocks { free(block) }
      // What it has called malloc for itself, and not for its array.
      var (allocated, live) = (HeapProfile.Amount(), HeapProfile.Amount())
      for site in profile.sites where site.frames.first?.function.contains("allocateWithMalloc") ?? false {
        allocated += site.allocated
        live += site.live
      }
      for (index, objects) in [live.objects, allocated.objects].enumerated() {
        // Not by the estimated error: where few are sampled by chance, that is small as well.
        deviations[index].append((objects.value - 2_000) / variance.squareRoot())
        variances[index].append(objects.variance / variance)
      }
      XCTAssertGreaterThan(live.bytes.value, 500 * 30_000)
    }
    for (deviations, variances) in zip(deviations, variances) {
      let mean = deviations.reduce(0, +) / Double(rounds)
      let spread = (deviations.map { $0 * $0 }.reduce(0, +) / Double(rounds)).squareRoot()
      XCTAssertLessThan(abs(mean), bias, "\(deviations)")
      XCTAssertTrue(spreads.contains(spread), "\(deviations)")
      let estimated = variances.reduce(0, +) / Double(rounds)
      XCTAssertTrue(relativeVariances.contains(estimated), "\(variances)")
    }
  }

  /// Blocks that threads allocate and others release, while there are snapshots: at the end what is alive is exactly what is.
  func testThreads() throws {
    try HeapProfiler.start(samplingEvery: 1)
    let kept = Kept()
    let threads = (0..<4).map { number in
      Thread {
        for round in 0..<2_000 {
          let block = allocateInThread()
          if round % 10 == 0 { kept.add(block) } else { kept.exchange(block) }
        }
        kept.finish()
        _ = number
      }
    }
    for thread in threads { thread.start() }
    for _ in 0..<5 { _ = HeapProfiler.snapshot() }
    kept.wait(for: 4)
    let live = amounts(try finish(), below: "allocateInThread").live
    XCTAssertEqual(live.objects.value, Double(kept.count))
    XCTAssertEqual(live.bytes.value, Double(kept.count * 333))
    kept.release()
  }

  /// A child has no profile, and allocates as usual.
  func testFork() throws {
    try HeapProfiler.start(samplingEvery: 1)
    typealias Fork = @convention(c) () -> pid_t
    let fork = unsafeBitCast(try XCTUnwrap(dlsym(nil, "fork")), to: Fork.self)
    let child = fork()
    if child == 0 {
      let before = HeapProfiler.state.samples
      for block in allocateWithMalloc(100, 100) { free(block) }
      let isOff = !HeapProfiler.isRunning && HeapProfiler.state.samples == before
      // It can have one of its own.
      var isOn = false
      if (try? HeapProfiler.start(samplingEvery: 1)) != nil {
        for block in allocateWithMalloc(100, 100) { free(block) }
        isOn = HeapProfiler.state.samples >= 100
      }
      _exit(isOff && isOn ? 0 : 1)
    }
    var status: Int32 = -1
    XCTAssertEqual(waitpid(child, &status, 0), child)
    XCTAssertEqual(status, 0)
    XCTAssertTrue(HeapProfiler.isRunning)
  }

  /// Libraries that are opened while a profile runs, with slots that are bound at once and protected (full RELRO), and at the
  /// first call; and all slots as they were, afterwards.
  func testLibrariesThatAreOpenedMeanwhile() throws {
    let source = """
      #include <stdlib.h>
      void *(*volatile pointer)(size_t) = malloc;
      __attribute__((noinline)) void *allocate_in_library(void) { void *block = malloc(5005); *(char *)block = 1; return block; }
      void release_in_library(void *block) { free(block); }
      void *pointer_to_malloc(void) { return (void *)pointer; }
      """
    for binding in ["now", "lazy"] {
      let library = try CompiledText.path(
        "\(binding).so", source,
        [
          "clang", "-O1", "-fno-builtin", "-fno-omit-frame-pointer", "-fPIC", "-shared", "-Wl,-z,relro",
          "-Wl,-z,\(binding)",
        ])
      try HeapProfiler.start(samplingEvery: 1)
      let before = HeapProfiler.state.slots
      let handle = try XCTUnwrap(dlopen(library, RTLD_NOW))
      for _ in 0..<500 where HeapProfiler.state.slots == before { usleep(10_000) }
      XCTAssertGreaterThanOrEqual(HeapProfiler.state.slots, before + 3, "malloc, free, and the pointer")
      typealias Pointer = @convention(c) () -> UnsafeMutableRawPointer?
      func function(_ name: String) -> Pointer { unsafeBitCast(dlsym(handle, name), to: Pointer.self) }
      XCTAssertNotEqual(function("pointer_to_malloc")(), dlsym(nil, "malloc"))
      let blocks = (0..<10).map { _ in function("allocate_in_library")() }
      typealias Release = @convention(c) (UnsafeMutableRawPointer?) -> Void
      let release = unsafeBitCast(dlsym(handle, "release_in_library"), to: Release.self)
      for block in blocks.prefix(4) { release(block) }
      let live = amounts(try finish(), below: "allocate_in_library").live
      XCTAssertEqual(live.objects.value, 6, binding)
      XCTAssertEqual(live.bytes.value, 6 * 5_005, binding)
      XCTAssertEqual(function("pointer_to_malloc")(), dlsym(nil, "malloc"), "as it was")
      for block in blocks.dropFirst(4) { release(block) }
      dlclose(handle)
    }
  }

  /// What the test below has allocated in a thread.
  private var many: [UnsafeMutableRawPointer] = []

  /// More live samples than there is room for: what is lost is said, and what there is room for is right.
  func testFullTable() throws {
    try HeapProfiler.start(samplingEvery: 1)
    // In a thread of its own, whose stack is short: of that of a test, the frames of XCTest take far longer than all the rest.
    var thread = pthread_t()
    pthread_create(
      &thread, nil,
      { test in
        let test = Unmanaged<HeapProfilerTests>.fromOpaque(test!).takeUnretainedValue()
        test.many = test.allocateWithMalloc(140_000, 64)
        return nil
      }, Unmanaged.passUnretained(self).toOpaque())
    pthread_join(thread, nil)
    let blocks = many
    let profile = try XCTUnwrap(HeapProfiler.snapshot())
    for block in blocks { free(block) }
    XCTAssertGreaterThanOrEqual(profile.lostSamples, 140_000 - (1 << 17))
    XCTAssertLessThan(profile.lostSamples, 20_000)
    let (allocated, live) = amounts(profile, below: "allocateWithMalloc")
    XCTAssertGreaterThanOrEqual(allocated.objects.value, 140_000)
    XCTAssertLessThan(live.objects.value, Double(1 << 17))
    XCTAssertTrue(
      profile.description.contains("note       \(profile.lostSamples) live samples are lost"), profile.description)
    XCTAssertTrue(profile.description.contains("; lost \(profile.lostSamples)"), profile.description)
    XCTAssertLessThan(amounts(try finish(), below: "allocateWithMalloc").live.objects.value, 100)
  }

  // MARK: Stacks and types

  func testAsyncFrames() async throws {
    try HeapProfiler.start(samplingEvery: 1)
    // The check of the rule goes its own way.
    for _ in 0..<500 where HeapProfiler.state.async_frames == 0 { try await Task.sleep(for: .milliseconds(10)) }
    XCTAssertEqual(HeapProfiler.state.async_frames, 1)
    let kept = await handleRequest()
    let profile = try finish()
    let site = try XCTUnwrap(
      profile.sites.first { $0.types.contains { $0.name.hasSuffix("KeptObject") } }, "\(profile)")
    XCTAssertEqual(site.live.objects.value, 300)
    let names = site.frames.map(\.function)
    let places = ["makeObjects", "logIn", "handleRequest", "testAsyncFrames"].map { name in
      names.firstIndex { $0.contains(name) }
    }
    XCTAssertFalse(places.contains(nil), "\(names)")
    XCTAssertEqual(places.compactMap(\.self), places.compactMap(\.self).sorted())
    XCTAssertTrue(site.frames.contains { $0.isWaiting && $0.function.contains("handleRequest") }, "\(site.frames)")
    XCTAssertEqual(kept.count, 300)
  }

  func testTypes() throws {
    try HeapProfiler.start(samplingEvery: 1)
    let objects = makeOfEachKind()
    let profile = try finish()
    var types: [String: Double] = [:]
    for site in profile.sites where site.frames.contains(where: { $0.function.contains("makeOfEachKind") }) {
      for type in site.types { types[type.name, default: 0] += type.live.objects.value }
    }
    XCTAssertEqual(types["AllocatorInsightTests.KeptObject"], 100, "\(types)")
    XCTAssertEqual(types["AllocatorInsightTests.KeptActor"], 50)
    XCTAssertEqual(types["AllocatorInsightTests.KeptBox<Swift.Int>"], 30)
    XCTAssertEqual(types["error AllocatorInsightTests.KeptError"], 20)
    XCTAssertEqual(types["Swift._ContiguousArrayStorage<Swift.UInt16>"], 10)
    XCTAssertEqual(types["Swift._DictionaryStorage<Swift.Int, Swift.Int>"], 5)
    // Memory that is no object, and looks like one at first glance.
    let raw = profile.sites.filter { site in
      site.frames.contains { $0.function.contains("makeOfEachKind") } && site.live.objects.value == 40
    }
    XCTAssertEqual(raw.count, 1)
    XCTAssertEqual(raw.first?.types.count, 0)
    XCTAssertFalse(objects.isEmpty)
  }

  // MARK: Formats

  private func example() throws -> HeapProfile {
    try HeapProfiler.start(samplingEvery: 1)
    let objects = makeOfEachKind()
    let blocks = allocateWithMalloc(10, 100_000)
    let profile = try finish()
    for block in blocks { free(block) }
    withExtendedLifetime(objects) {}
    return profile
  }

  func testTextAndFolded() throws {
    let profile = try example()
    let lines = profile.description.split(separator: "\n", omittingEmptySubsequences: false)
    XCTAssertTrue(lines[0].contains("allocateWithMalloc"), "\(lines[0])")
    XCTAssertTrue(lines[0].contains("(10 × blocks, ±0 %)"), "\(lines[0])")
    XCTAssertTrue(profile.description.contains("lost 0"))
    let folded = profile.folded.split(separator: "\n")
    let line = try XCTUnwrap(
      folded.first { $0.contains("allocateWithMalloc") && $0.hasSuffix(" 1000000") }, profile.folded)
    XCTAssertGreaterThan(line.split(separator: ";").count, 3)
    XCTAssertTrue(try XCTUnwrap(line.split(separator: ";").last).contains("allocateWithMalloc"))
  }

  func testPprofIsReadBack() throws {
    let profile = try example()
    let back = try HeapProfile(pprof: profile.pprof)
    XCTAssertEqual(back.sites.count, profile.sites.filter { !$0.rows.isEmpty }.count)
    XCTAssertEqual(back.live.bytes.value, profile.live.bytes.value, accuracy: 1_000)
    XCTAssertEqual(back.allocated.objects.value, profile.allocated.objects.value, accuracy: 1_000)
    XCTAssertEqual(back.headline, profile.headline)
    XCTAssertEqual(back.sites.first?.frames.map(\.function), profile.sites.first?.frames.map(\.function))
    XCTAssertEqual(back.notes, profile.notes)
    // What is damaged is refused, and never more.
    let file = profile.pprof
    for end in stride(from: 0, to: file.count, by: max(file.count / 200, 1)) {
      XCTAssertThrowsError(try HeapProfile(pprof: Array(file.prefix(end))))
    }
    var random = SystemRandomNumberGenerator()
    let message = profile.pprofMessage
    for _ in 0..<100 {
      var broken = message
      for _ in 0..<20 {
        broken[Int.random(in: 0..<broken.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      _ = try? HeapProfile(pprof: broken).description
    }
  }

  func testGoReadsTheFiles() throws {
    guard let go = CommandResult.locate("go") else { throw XCTSkip("no go here (apt-get install golang-go)") }
    let folder = try TemporaryFolder()
    let first = try example()
    try Data(first.pprof).write(to: URL(fileURLWithPath: folder.path("before.pb.gz")))
    try HeapProfiler.start(samplingEvery: 1)
    let objects = makeOfEachKind()
    let blocks = allocateWithMalloc(25, 100_000)
    let second = try finish()
    for block in blocks { free(block) }
    withExtendedLifetime(objects) {}
    try Data(second.pprof).write(to: URL(fileURLWithPath: folder.path("after.pb.gz")))

    let environment = ["HOME": folder.url.path, "PPROF_TMPDIR": folder.url.path]
    func pprof(_ arguments: String...) throws -> String {
      let result = try CommandResult.run([go, "tool", "pprof"] + arguments, environment: environment)
      XCTAssertEqual(result.status, 0, result.transcript)
      return result.standardOutput
    }
    let after = folder.path("after.pb.gz")
    let top = try pprof("-top", "-unit=B", after)
    XCTAssertTrue(top.contains("Type: inuse_space"), top)
    XCTAssertNotNil(top.firstMatch(of: /\n *2500000B +[0-9.]+% .*allocateWithMalloc/), top)
    let objectsOf = try pprof("-top", "-sample_index=alloc_objects", after)
    XCTAssertTrue(objectsOf.contains("Type: alloc_objects"), objectsOf)
    let difference = try pprof("-top", "-unit=B", "-diff_base", folder.path("before.pb.gz"), after)
    XCTAssertNotNil(difference.firstMatch(of: /\n *1500000B +[0-9.]+% .*allocateWithMalloc/), difference)
    let tags = try pprof("-tags", "-sample_index=inuse_objects", after)
    XCTAssertNotNil(tags.firstMatch(of: /100\.0 \([^)]*\): AllocatorInsightTests.KeptObject\n/), tags)
    XCTAssertTrue(try pprof("-comments", after).contains("allocator: glibc"))
  }

  func testDifference() throws {
    try HeapProfiler.start(samplingEvery: 1)
    let first = allocateWithMalloc(10, 50_000)
    let before = try XCTUnwrap(HeapProfiler.snapshot())
    let second = allocateWithMalloc(7, 60_000)
    for block in first.prefix(3) { free(block) }
    let after = try finish()
    let difference = after.since(before)
    let sum = amounts(difference, below: "allocateWithMalloc")
    // The arrays that hold the blocks are in it as well.
    XCTAssertEqual(sum.live.bytes.value, Double(7 * 60_000 - 3 * 50_000), accuracy: 3_000)
    XCTAssertTrue(difference.headline.hasPrefix("Live memory grew by "), difference.headline)
    XCTAssertTrue(before.since(after).headline.hasPrefix("Live memory shrank by "))
    XCTAssertTrue(
      after.since(after).sites.allSatisfy { abs($0.live.bytes.value) < 1 && abs($0.allocated.bytes.value) < 1 })
    for block in first.dropFirst(3) + second { free(block) }
  }

  func testShortNames() {
    for (name, short) in [
      ("Server.SessionStore.insert(Server.Session) -> ()", "SessionStore.insert"),
      ("static Server.App.main() async throws -> ()", "App.main"),
      ("closure #1 @Sendable (Swift.Int) -> () in Server.App.run() -> ()", "closure #1 in App.run"),
      ("Server.Cache.insert<A where A: Swift.Hashable>(A) -> ()", "Cache.insert<A where A: Swift.Hashable>"),
      ("Server.handle(Swift.Int) async -> Swift.Int", "Server.handle"), ("main", "main"), ("0x1234", "0x1234"),
      ("", ""),
      (
        "closure #1 () -> () in (extension in Server):Swift.Task< where A == ()>.init() -> ()",
        "closure #1 in Task< where A == ()>.init"
      ), ("static (extension in Server):Swift.Int.parse() -> ()", "Int.parse"),
    ] {
      XCTAssertEqual(FunctionName.short(name), short)
    }
  }

  func testNamesOfCopies() {
    for (name, plain) in [
      ("generic specialization <Swift.Int> of Server.insert<A>(A) -> ()", "Server.insert<A>(A) -> ()"),
      ("function signature specialization <Arg[0] = Dead> of Server.App.run() -> ()", "Server.App.run() -> ()"),
      ("merged generic specialization <(A) -> B<C>> of Server.f() -> ()", "Server.f() -> ()"),
      ("generic specialization <Swift.Int", "generic specialization <Swift.Int"), ("a < b", "a < b"), ("", ""),
    ] {
      XCTAssertEqual(FunctionName.withoutSpecialization(name), plain)
    }
    let number = String(repeating: "0A", count: 16)
    XCTAssertEqual(
      ProcessSymbols.withoutDiscriminators(
        "closure #1 (Swift.Int) in A.(f in _\(number))(x: (B.C in _\(number))) -> ()"),
      "closure #1 (Swift.Int) in A.f(x: B.C) -> ()")
    XCTAssertEqual(ProcessSymbols.withoutDiscriminators("(f in _\(number)"), "(f in _\(number)")
  }

  func testGzip() {
    XCTAssertEqual(Gzip.checksum(Array("123456789".utf8)[...]), 0xcbf4_3926)
    for count in [0, 1, 65_535, 65_536, 200_000] {
      let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7) }
      XCTAssertEqual(Gzip.contents(ofStored: Gzip.stored(bytes)), bytes)
    }
    var damaged = Gzip.stored([1, 2, 3])
    damaged[16] ^= 1
    XCTAssertNil(Gzip.contents(ofStored: damaged))
  }
}

// MARK: What is allocated

final class KeptObject {
  let values = (1, 2, 3, 4, 5, 6)
}

actor KeptActor {
  let values = (1, 2, 3, 4, 5, 6)
}

final class KeptBox<Value> {
  let values: (Value, Value, Value, Value)
  init(_ value: Value) { values = (value, value, value, value) }
}

struct KeptError: Error {
  let code: Int
  let text = "a text"
}

@inline(never) private func makeOfEachKind() -> [Any] {
  var objects: [Any] = []
  objects.reserveCapacity(1_000)
  for _ in 0..<100 { objects.append(KeptObject()) }
  for _ in 0..<50 { objects.append(KeptActor()) }
  for number in 0..<30 { objects.append(KeptBox(number)) }
  var errors: [any Error] = []
  for number in 0..<20 { errors.append(KeptError(code: number)) }
  objects.append(errors)
  for number in 0..<10 { objects.append([UInt16](repeating: UInt16(number), count: 100)) }
  for number in 0..<5 { objects.append([number: number, number + 1: 1]) }
  for _ in 0..<40 {
    let memory = UnsafeMutablePointer<UInt>.allocate(capacity: 12)
    // The address of something in an image, and a count.
    memory.initialize(repeating: 3, count: 12)
    memory[0] = UInt(bitPattern: dlsym(nil, "malloc"))
    objects.append(memory)
  }
  return objects
}

@inline(never) private func makeObjects() -> [KeptObject] { (0..<300).map { _ in KeptObject() } }

@inline(never) private func logIn() async -> [KeptObject] {
  await Task.yield()
  let objects = makeObjects()
  await Task.yield()
  return objects
}

@inline(never) private func handleRequest() async -> [KeptObject] {
  let objects = await logIn()
  await Task.yield()
  return objects
}

@inline(never) private func allocateInThread() -> UnsafeMutableRawPointer { malloc(333)! }

/// Blocks that threads keep, and hand to each other.
private final class Kept: @unchecked Sendable {
  private let condition = NSCondition()
  private var blocks: [UnsafeMutableRawPointer] = []
  private var other: UnsafeMutableRawPointer?
  private var finished = 0

  var count: Int { condition.withLock { blocks.count + (other == nil ? 0 : 1) } }

  func add(_ block: UnsafeMutableRawPointer) { condition.withLock { blocks.append(block) } }

  func exchange(_ block: UnsafeMutableRawPointer) {
    let before = condition.withLock {
      defer { other = block }
      return other
    }
    free(before)
  }

  func finish() {
    condition.withLock {
      finished += 1
      condition.broadcast()
    }
  }

  func wait(for count: Int) {
    condition.withLock { while finished < count { condition.wait() } }
  }

  func release() {
    for block in blocks { free(block) }
    free(other)
  }
}
