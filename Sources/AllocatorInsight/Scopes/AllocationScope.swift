// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CAllocatorInsight
import Synchronization

/// Counts what a piece of code allocates, in its task and in its child tasks, while other threads and tasks go on beside it.
///
/// Tasks that the code starts with `Task { }` count, too, as long as the code itself runs; detached tasks, and threads that it hands
/// work to, do not. What happens within a scope within this one is in both.
package final class AllocationScope: Sendable {
  /// What is bound to a task; 0 outside of all scopes.
  @TaskLocal private static var current: UInt64 = 0

  /// Why nothing can be counted in this process.
  package struct Unavailable: Error, CustomStringConvertible {
    package let description: String
    /// Whether that is as it should be, because something else looks after memory here.
    package let isSanitizer: Bool
  }

  let handle: UInt64

  /// Makes a scope that counts nothing yet. Takes some milliseconds if there was none in the last tenth of a second.
  ///
  /// - Parameters:
  ///   - limit: the number of calls above which call sites are told apart more closely.
  ///   - byteLimit: the same, in bytes.
  ///   - keepsBlocks: whether blocks are followed until they are released.
  package init(limit: Int = .max, byteLimit: Int = .max, keepsBlocks: Bool = false) throws(Unavailable) {
    var result = INSIGHT_PROFILE_STARTED
    let key = unsafeBitCast(Self.$current, to: UnsafeRawPointer.self)
    handle = insight_scope_open(
      key, UInt64(max(limit, 0)), UInt64(max(byteLimit, 0)), keepsBlocks ? 1 : 0, &result)
    switch result {
    case INSIGHT_PROFILE_STARTED: AsyncFrames.check()
    case INSIGHT_PROFILE_SANITIZER:
      throw Unavailable(description: "a sanitizer answers malloc in this process", isSanitizer: true)
    case INSIGHT_PROFILE_NO_SLOTS:
      throw Unavailable(
        description:
          "allocator and Swift runtime are linked statically into one file, so that calls between them cannot be seen",
        isSanitizer: false)
    default:
      throw Unavailable(description: "there is no memory, or no thread, to count with", isSanitizer: false)
    }
  }

  deinit { insight_scope_close(handle) }

  /// Runs `body`, which is counted.
  package func run<Value, Failure: Error>(_ body: () throws(Failure) -> Value) throws(Failure) -> Value {
    let before = insight_scope_enter(handle)
    defer { _ = insight_scope_enter(before) }
    let result = Self.$current.withValue(handle) { () -> Result<Value, Failure> in
      insight_scope_start(handle)
      do throws(Failure) {
        let value = try body()
        insight_scope_stop(handle)
        return .success(value)
      } catch {
        insight_scope_stop(handle)
        return .failure(error)
      }
    }
    return try result.get()
  }

  /// Runs `body`, which is counted, on the actor that the caller is on.
  package func run<Value, Failure: Error>(
    isolation: isolated (any Actor)? = #isolation, _ body: () async throws(Failure) -> Value
  ) async throws(Failure) -> Value {
    await Self.prepareForSleeping()
    let result = await Self.$current.withValue(handle) { () -> Result<Value, Failure> in
      insight_scope_start(handle)
      do throws(Failure) {
        let value = try await body()
        insight_scope_stop(handle)
        return .success(value)
      } catch {
        insight_scope_stop(handle)
        return .failure(error)
      }
    }
    return try result.get()
  }

  /// Whoever is the first to sleep at a priority makes the queue for that, which stays.
  private static func prepareForSleeping(isolation: isolated (any Actor)? = #isolation) async {
    let bit: UInt64 = 1 << UInt64(Task.currentPriority.rawValue & 63)
    guard sleepers.bitwiseOr(bit, ordering: .relaxed).oldValue & bit == 0 else { return }
    try? await Task.sleep(for: .nanoseconds(1))
  }

  /// A bit for each priority.
  private static let sleepers = Atomic<UInt64>(0)

  /// Calls that returned a block, and the bytes that they were asked for.
  package var totals: (count: Int, bytes: Int) {
    var totals = insight_scope_totals()
    insight_scope_read_totals(handle, &totals)
    return (Int(totals.count), Int(totals.bytes))
  }

  /// From where that was, largest number first. Takes some milliseconds for each image that has a frame in it.
  /// What it allocates itself is in no scope.
  package func sites() -> [AllocationSite] {
    let left = insight_profile_leave_out()
    defer { insight_profile_take_in(left) }
    var totals = insight_scope_totals()
    insight_scope_read_totals(handle, &totals)
    var stacks: [Stack: (count: Int, bytes: Int)] = [:]
    for place in 0..<totals.places {
      var raw = insight_scope_site()
      insight_scope_read_site(handle, place, &raw)
      guard raw.count > 0 else { continue }
      stacks[Stack(raw), default: (0, 0)].count += Int(raw.count)
      stacks[Stack(raw)]!.bytes += Int(raw.bytes)
    }
    return Self.symbols.withLock { known in
      known.refresh()
      return stacks.map { AllocationSite(count: $1.count, bytes: $1.bytes, frames: $0.frames(&known.symbols)) }
    }
    .sorted { ($0.count, $0.bytes, $1.path) > ($1.count, $1.bytes, $0.path) }
  }

  /// The blocks that have not been released, by type and site, largest first; and how many were not followed.
  /// What it allocates itself is in no scope.
  package func blocks() -> (sites: [AllocationSite], lost: Int) {
    let left = insight_profile_leave_out()
    defer { insight_profile_take_in(left) }
    let number = insight_scope_read_blocks(handle, nil, 0)
    // More may have gone meanwhile, and none can have come.
    let blocks = [insight_scope_block](unsafeUninitializedCapacity: number) { buffer, initialized in
      initialized = min(insight_scope_read_blocks(handle, buffer.baseAddress, number), number)
    }
    var stacks: [UInt32: Stack] = [:]
    var types = SwiftTypes()
    var groups: [Stack: [String?: (count: Int, bytes: Int)]] = [:]
    for block in blocks {
      if stacks[block.stack] == nil {
        var raw = insight_scope_site()
        insight_scope_read_stack(handle, block.stack, &raw)
        stacks[block.stack] = Stack(raw)
      }
      let type = types.name(ofObjectAt: block.address)
      groups[stacks[block.stack]!, default: [:]][type, default: (0, 0)].count += 1
      groups[stacks[block.stack]!]![type]!.bytes += Int(block.size)
    }
    let sites = Self.symbols.withLock { known in
      known.refresh()
      var sites: [AllocationSite] = []
      for (stack, shares) in groups {
        let frames = stack.frames(&known.symbols)
        sites += shares.map { AllocationSite(count: $1.count, bytes: $1.bytes, type: $0, frames: frames) }
      }
      return sites
    }
    var totals = insight_scope_totals()
    insight_scope_read_totals(handle, &totals)
    return (
      sites.sorted { ($0.bytes, $0.count, $1.path) > ($1.bytes, $1.count, $0.path) }, Int(totals.lost_blocks)
    )
  }

  /// Symbols are kept, because many tests ask for them, for as long as no image comes or goes.
  private struct KnownSymbols {
    var symbols = ProcessSymbols()
    var changes: UInt64 = 0

    mutating func refresh() {
      let now = insight_image_changes()
      if now != changes { self = KnownSymbols(changes: now) }
    }
  }

  private static let symbols = Mutex(KnownSymbols())

  private struct Stack: Hashable {
    var addresses: [UInt]
    var physical: Int

    init(_ raw: insight_scope_site) {
      addresses = withUnsafeBytes(of: raw.frames) { Array($0.bindMemory(to: UInt.self).prefix(Int(raw.depth))) }
      physical = Int(raw.physical_depth)
    }

    func frames(_ symbols: inout ProcessSymbols) -> [HeapProfile.Frame] {
      var frames: [HeapProfile.Frame] = []
      for (index, address) in addresses.enumerated() {
        let frame = symbols.frame(address, isWaiting: index >= physical)
        // What is further out is not the caller's code.
        if frame.function.contains("AllocatorInsight.AllocationScope.run") { break }
        frames.append(frame)
      }
      return frames
    }
  }
}
