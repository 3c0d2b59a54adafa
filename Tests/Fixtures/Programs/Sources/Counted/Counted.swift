// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorInsight
import Glibc

/// Takes a census of what is known, and prints what is wrong with it.
public func runCounted() async throws {
  let words = CommandLine.arguments
  func number(_ index: Int, _ usual: Int) -> Int { words.count > index ? Int(words[index]) ?? usual : usual }
  switch words.count > 1 ? words[1] : "" {
  case "types": try await checkTypes()
  case "threads": try await checkAmongThreads(rounds: number(2, 50))
  case "samples": try await checkSamples(interval: number(2, 4_096))
  case "speed": try measure(objects: number(2, 1_000_000))
  case "refusal":
    do {
      print("\(try Census.current())")
    } catch {
      print("REFUSED \(error)")
    }
  default:
    print("usage: \(words[0]) types | threads [rounds] | samples [interval] | speed [objects] | refusal")
    exit(64)
  }
}

/// How many objects there are of the type with this name.
func objects(_ census: Census, _ name: String, change: Bool = false) -> Double {
  guard let group = census.types[name] else { return 0 }
  return change ? group.change?.objects.value ?? 0 : group.live.objects.value
}

/// What is not as it should be.
func mistakes(_ census: Census, change: Bool = false) -> [String] {
  Kept.counts.compactMap { name, count in
    let found = objects(census, name, change: change)
    return found == Double(count) ? nil : "MISTAKE \(found) × \(name), and not \(count)"
  }
}

/// Everything, exactly, and what has changed since before.
func checkTypes() async throws {
  let before = try Census.current()
  let kept = Kept()
  // Tasks are made where they run first.
  try await Task.sleep(for: .milliseconds(200))
  let now = try Census.current()
  print("\(now)\n")
  let change = now.since(before)
  print(change)
  print(change.json)
  var wrong = mistakes(now) + mistakes(change, change: true)
  if !now.isExact { wrong.append("MISTAKE not exact") }
  let tasks = objects(change, "task", change: true)
  if tasks != Double(Kept.taskCount) { wrong.append("MISTAKE \(tasks) tasks") }
  // The census has made some itself: names of types.
  let strings = Int(objects(change, "Swift.__StringStorage", change: true))
  if !(kept.strings.count..<kept.strings.count + 100).contains(strings) { wrong.append("MISTAKE \(strings) strings") }
  for (size, count) in Kept.raw {
    let found = change.sizes.filter { $0.key >= size && $0.key < size * 2 }
      .reduce(0) { $0 + ($1.value.change?.objects.value ?? 0) }
    // What the census and the runtime need themselves lies among them: the program's symbols, for one.
    if !(Double(count)...Double(count + 2)).contains(found) { wrong.append("MISTAKE \(found) blocks of \(size)") }
  }
  kept.cancel()
  print(wrong.isEmpty ? "RIGHT" : wrong.joined(separator: "\n"))
}

/// From samples: within five standard errors.
func checkSamples(interval: Int) async throws {
  try HeapProfiler.start(samplingEvery: interval)
  let kept = Kept()
  try await Task.sleep(for: .milliseconds(200))
  let census = try Census.current()
  print("\(census)\n\(census.json)")
  var wrong: [String] = census.isExact ? ["MISTAKE exact"] : []
  for (name, count) in Kept.counts where count >= 1_000 {
    let group = census.types[name]
    let (found, error) = (group?.live.objects.value ?? 0, group?.live.objects.standardError ?? 0)
    // The error is estimated from what was found; of much too little, it is much too small.
    let spread = found > 0 ? error * max(Double(count) / found, 1).squareRoot() : 0
    if abs(found - Double(count)) > 5 * spread {
      wrong.append("MISTAKE \(found) ± \(error) × \(name), and not \(count)")
    }
  }
  HeapProfiler.stop()
  kept.cancel()
  print(wrong.isEmpty ? "RIGHT" : wrong.joined(separator: "\n"))
}

// MARK: Among threads

/// Objects that one thread gives to another.
final class Exchange: @unchecked Sendable {
  private var mutex = pthread_mutex_t()
  private var kept: [Any] = []

  init() { pthread_mutex_init(&mutex, nil) }

  func swap(_ objects: [Any]) -> [Any] {
    pthread_mutex_lock(&mutex)
    defer { pthread_mutex_unlock(&mutex) }
    let old = kept
    kept = objects
    return old
  }
}

nonisolated(unsafe) var isDone = false
let exchange = Exchange()

final class Churned { var (a, b) = (1, 2) }

/// Allocates and releases objects, strings, arrays, dictionaries and raw blocks of all sizes, and gives half of them to others.
func churn() {
  var random = SystemRandomNumberGenerator()
  while !isDone {
    var objects: [Any] = []
    for _ in 0..<200 {
      objects.append(Churned())
      objects.append("a text of \(objects.count) objects, which is on the heap")
      objects.append([Int](repeating: 1, count: Int.random(in: 1..<200, using: &random)))
      objects.append([objects.count: "value"])
      objects.append(Ghostly())
      let block = malloc(Int.random(in: 1..<20_000, using: &random))!
      memset(block, 0x55, 16)
      free(block)
      if Int.random(in: 0..<20, using: &random) == 0 { free(malloc(Int.random(in: 1..<2 << 20, using: &random))) }
    }
    objects.removeFirst(objects.count / 2)
    _ = exchange.swap(objects)
  }
}

/// A generic class, whose metadata is made while the census looks.
final class Ghostly { var value: (Int, String) = (1, "") }

func start(_ body: @escaping @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer?) -> pthread_t {
  var thread = pthread_t()
  precondition(pthread_create(&thread, nil, body, nil) == 0)
  return thread
}

/// Censuses while eight threads allocate, and memory is given back in a loop.
func checkAmongThreads(rounds: Int) async throws {
  let kept = Kept()
  try await Task.sleep(for: .milliseconds(200))
  var threads = (0..<8).map { _ in
    start { _ in
      churn()
      return nil
    }
  }
  threads.append(
    start { _ in
      while !isDone { MemoryTrim.perform() }
      return nil
    })
  var held = 0
  for round in 0..<rounds {
    let census = try Census.current()
    let wrong = mistakes(census)
    if wrong.isEmpty { held += 1 }
    for mistake in wrong { print("round \(round): \(mistake)") }
  }
  isDone = true
  for thread in threads { pthread_join(thread, nil) }
  kept.cancel()
  print("HELD \(held) of \(rounds)")
}

// MARK: Speed

/// Seconds by the clock, and of the processor's; and how often the thread slept.
nonisolated(unsafe) var longest: (wall: Double, processor: Double, sleeps: Int) = (0, 0, 0)
nonisolated(unsafe) var isMeasuring = false

func seconds(_ clock: clockid_t = CLOCK_MONOTONIC) -> Double {
  var now = timespec()
  clock_gettime(clock, &now)
  return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
}

/// Prints how long a census of so many objects takes, and what a thread that allocates meanwhile sees of it: the longest call, and how
/// often it has slept, which it does only for a lock.
func measure(objects count: Int) throws {
  var kept: [AnyObject] = []
  kept.reserveCapacity(count)
  for number in 0..<count {
    kept.append(number % 3 == 0 ? Session(number) : number % 3 == 1 ? Box(number) : Box(Row()))
  }
  let thread = start { _ in
    var blocks = [UnsafeMutableRawPointer?](repeating: nil, count: 4_096)
    var index = 0
    var before = rusage()
    while !isDone {
      let (wall, processor) = (seconds(), seconds(CLOCK_THREAD_CPUTIME_ID))
      free(blocks[index])
      blocks[index] = malloc(16 + index * 7 % 2_000)
      let times = (wall: seconds() - wall, processor: seconds(CLOCK_THREAD_CPUTIME_ID) - processor)
      if isMeasuring {
        longest.wall = max(longest.wall, times.wall)
        longest.processor = max(longest.processor, times.processor)
      }
      index = (index + 1) % blocks.count
      if index == 0 {
        // RUSAGE_THREAD.
        var now = rusage()
        getrusage(1, &now)
        if isMeasuring { longest.sleeps += now.ru_nvcsw - before.ru_nvcsw }
        before = now
      }
    }
    return nil
  }
  for round in 0..<6 {
    longest = (0, 0, 0)
    isMeasuring = true
    let start = seconds()
    if round % 2 == 0 {
      let census = try Census.current()
      print("census of \(Int(census.total.objects.value)) blocks", terminator: " ")
    } else {
      usleep(150_000)
      print("no census", terminator: " ")
    }
    let time = seconds() - start
    isMeasuring = false
    let (wall, processor) = (Int(longest.wall * 1e6), Int(longest.processor * 1e6))
    print(
      "\(Int(time * 1_000)) ms; longest malloc or free \(wall) µs by the clock, \(processor) µs of the processor; slept \(longest.sleeps) times"
    )
  }
  isDone = true
  pthread_join(thread, nil)
  withExtendedLifetime(kept) {}
}
