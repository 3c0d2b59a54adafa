// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorAdapters
import CCases
import Glibc

/// A block, which the optimizer cannot leave out.
@inline(never)
func request(_ size: Int) -> UnsafeMutableRawPointer? {
  let function = unsafeBitCast(dlsym(nil, "malloc"), to: (@convention(c) (Int) -> UnsafeMutableRawPointer?).self)
  return function(size)
}

/// Allocates in a child, and says with its status whether the child writes its calls.
func isChildTraced() -> Bool {
  let function = unsafeBitCast(dlsym(nil, "fork"), to: (@convention(c) () -> pid_t).self)
  let child = function()
  if child == 0 {
    let block = request(777)
    _exit(AllocatorTrace.isOn || block == nil ? 1 : 0)
  }
  var status: Int32 = 0
  waitpid(child, &status, 0)
  return status != 0
}

// The process's calls are written, those of a child are not; and the buffer is full soon, which must not be seen.
guard AllocatorTrace.start(capacity: 1000), AllocatorTrace.isOn, let block = request(4321) else { exit(3) }
free(block)
guard !isChildTraced(), AllocatorTrace.isOn else { exit(4) }
let calls = AllocatorTrace.takeCalls(atMost: 1000)
guard let first = calls.firstIndex(where: { $0.size == 4321 && $0.kind == .allocate }), first + 1 < calls.count,
  calls[first + 1].kind == .deallocate, calls[first + 1].address == UInt(bitPattern: block),
  !calls.contains(where: { $0.size == 777 })
else { exit(5) }
/// Several threads make the first calls that ever reach the second allocator, at once.
func useSecondInThreads() {
  let start = UnsafeMutablePointer<pthread_barrier_t>.allocate(capacity: 1)
  pthread_barrier_init(start, nil, 8)
  let threads = (0..<8).map { _ in
    var thread = pthread_t()
    pthread_create(
      &thread, nil,
      { start in
        pthread_barrier_wait(start!.assumingMemoryBound(to: pthread_barrier_t.self))
        free(request(65 << 20))
        return nil
      }, start)
    return thread
  }
  for thread in threads { pthread_join(thread, nil) }
}

if CommandLine.arguments.last == "second-in-threads" {
  useSecondInThreads()
  exit(0)
}
for name in CommandLine.arguments.dropFirst() { run_case(name) }
guard AllocatorTrace.lostCalls > 0 || CommandLine.arguments.count == 1 || !AllocatorTrace.takeCalls(atMost: 9).isEmpty
else { exit(6) }
