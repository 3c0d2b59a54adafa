// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorInsight
import Dispatch
import Glibc
import Synchronization

/// A service that forgets sessions: each is kept alive by a closure of its own.
final class Session: Sendable {
  let values: (Int, Int, Int, Int, Int, Int, Int, Int, Int, Int, Int, Int, Int, Int, Int, Int)
  nonisolated(unsafe) var onClose: (@Sendable () -> Int)?

  init(number: Int) {
    values = (number, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
  }
}

@inline(never) func makeSession(_ number: Int) -> Session { Session(number: number) }

@inline(never) func checkPassword(_ number: Int) async -> Bool {
  await Task.yield()
  return number >= 0
}

@inline(never) func login(_ number: Int) async -> Int {
  guard await checkPassword(number) else { return 0 }
  let session = makeSession(number)
  session.onClose = { session.values.0 }
  return session.onClose?() ?? 0
}

@inline(never) func handleRequest(_ number: Int, leaks: Bool) async -> Int {
  let parts = (0..<20).map { "part \($0) of request \(number), which is longer than what a string has in itself" }
  let length = parts.joined(separator: ", ").utf8.count
  return leaks ? await login(number) &+ length : length
}

@inline(never) func serve(_ requests: Int, sessions: Int) async -> Int {
  var sum = 0
  for number in 0..<requests {
    sum &+= await handleRequest(number, leaks: number < sessions)
  }
  return sum
}

/// Leaks so many sessions while a profile runs, and prints what that has found.
func profileLeak(_ sessions: Int, interval: Int, file: String?) async throws {
  // Everything is warm, and the check of async frames has been made.
  _ = await serve(2_000, sessions: 0)
  do {
    try HeapProfiler.start(samplingEvery: interval)
  } catch {
    let line = Array("\(error)\n".utf8)
    _ = Glibc.write(STDERR_FILENO, line, line.count)
    exit(1)
  }
  try await Task.sleep(for: .milliseconds(50))
  let sum = await serve(sessions + sessions / 2, sessions: sessions)
  let writable = writableCode()
  guard let profile = HeapProfiler.stop() else { fatalError("no profile") }
  print(profile)
  // The owner with most live memory, for the test: objects and their error.
  let first = profile.sites.first
  let share = first?.types.first
  print("FIRST \(share?.name ?? "-") \(share?.live.objects.value ?? 0) \(share?.live.objects.standardError ?? 0)")
  print("STACK \(first?.frames.map(\.function).joined(separator: " < ") ?? "-")")
  print("WRITABLE \(writable) \(writableCode())")
  if let file { write(profile.pprof, to: file) }
  precondition(sum != 0 && !HeapProfiler.isRunning)
}

/// The mappings of this process that are code and can be written.
func writableCode() -> Int {
  guard let maps = fopen("/proc/self/maps", "r") else { fatalError("no maps") }
  defer { fclose(maps) }
  var line = [CChar](repeating: 0, count: 8192)
  var count = 0
  while fgets(&line, Int32(line.count), maps) != nil { count += strstr(line, " rwx") != nil ? 1 : 0 }
  return count
}

/// One block of each function of C that this program calls by itself.
@inline(never) func allocateInEachWay() -> [UnsafeMutableRawPointer] {
  var aligned: UnsafeMutableRawPointer?
  precondition(posix_memalign(&aligned, 64, 1_004) == 0)
  let blocks = [
    malloc(1_000), calloc(1, 1_001), realloc(malloc(10), 1_002), aligned_alloc(64, 1_003), aligned,
    valloc(1_005), reallocarray(nil, 1, 1_006),
  ]
  return blocks.map { $0! }
}

/// Calls each function while a profile runs in which every byte is a sample, and prints the sizes of the blocks that are alive when they
/// have been allocated, and when they have been released.
func profileFunctions() throws {
  let function: @convention(c) (Int) -> UnsafeMutableRawPointer? = malloc
  func code() -> UInt64 { unsafeBitCast(function, to: UnsafeRawPointer.self).load(as: UInt64.self) }
  let first = code()
  try HeapProfiler.start(samplingEvery: 1)
  let blocks = allocateInEachWay()
  let before = HeapProfiler.snapshot()
  let meanwhile = code()
  for block in blocks { free(block) }
  let after = HeapProfiler.stop()
  for (time, profile) in [("BEFORE", before), ("AFTER", after)] {
    let sites = profile?.sites.filter { $0.frames.contains { $0.function.contains("allocateInEachWay") } } ?? []
    let sizes = sites.map { Int($0.live.bytes.value.rounded()) }.filter { $0 >= 1_000 && $0 < 1_010 }.sorted()
    print(time, sizes.map(String.init).joined(separator: " "))
  }
  print("CODE OF MALLOC", meanwhile == first ? "as before," : "changed,", code() == first ? "as before" : "changed")
  for note in after?.notes ?? [] { print("NOTE \(note)") }
}

/// Starts and ends profiles while threads call malloc all the time.
func profileOftenAmongThreads(_ rounds: Int) throws {
  let isOver = Mutex(false)
  let group = DispatchGroup()
  for _ in 0..<3 {
    DispatchQueue.global().async(group: group) {
      while !isOver.withLock({ $0 }) {
        for _ in 0..<100 {
          let block = malloc(100)
          block?.storeBytes(of: 1, as: Int.self)
          free(realloc(block, 200))
        }
      }
    }
  }
  for _ in 0..<rounds {
    try HeapProfiler.start(samplingEvery: 10_000)
    usleep(1_000)
    HeapProfiler.stop()
  }
  isOver.withLock { $0 = true }
  group.wait()
  print("ROUNDS \(rounds)")
}

func write(_ bytes: [UInt8], to path: String) {
  guard let file = fopen(path, "w") else { fatalError("cannot write \(path)") }
  precondition(fwrite(bytes, 1, bytes.count, file) == bytes.count)
  fclose(file)
}

public func runProfiled() async throws {
  let words = CommandLine.arguments
  func number(_ index: Int, _ usual: Int) -> Int { words.count > index ? Int(words[index]) ?? usual : usual }
  switch words.count > 1 ? words[1] : "" {
  case "leak":
    try await profileLeak(number(2, 100_000), interval: number(3, 64 << 10), file: words.count > 4 ? words[4] : nil)
  case "functions": try profileFunctions()
  case "often": try profileOftenAmongThreads(number(2, 20))
  default:
    print("usage: \(words[0]) leak [sessions] [interval] [file] | functions | often [rounds]")
    exit(64)
  }
}
