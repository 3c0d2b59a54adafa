// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocationTrace
import CAllocatorTrace
import Foundation
import Glibc

/// One recording, from the command line to the finished trace.
struct Recording {
  private let output: String
  private let only: String?
  private let hasTimes: Bool
  private let words: CommandWords
  private let program: ProgramFile
  private let library: KnownAllocator

  /// Records that the buffer holds: 10 MiB.
  private static let capacity = 1 << 18
  /// How long a call waits for room in it at most. The program is not to be held up for ever by a recorder that is stopped.
  private static let waitNanoseconds: UInt64 = 1_000_000_000

  init(output: String, of only: String?, hasTimes: Bool, _ words: CommandWords) throws(ToolFailure) {
    self.output = output
    self.only = only
    self.hasTimes = hasTimes
    self.words = words
    if let only, only.isEmpty || only.contains("/") || only.utf8.count > 200 {
      throw ToolFailure("--of takes the name of a program's file, without folders", .usage)
    }
    program = try ProgramFile(named: words.program)
    let path = ThisExecutable.folder + "/libTracingPreload.so"
    guard access(path, R_OK) == 0 else {
      throw ToolFailure("\(path) is missing (swift build -c release --product TracingPreload)", .unavailable)
    }
    library = KnownAllocator(name: "the recorder", source: .library(path: path))
    if let obstacle = program.preloadObstacle { throw ToolFailure("cannot record: \(obstacle)", .cannotRun) }
  }

  func run() throws(ToolFailure) -> Never {
    let file = try openOutput()
    var ringDescriptor: Int32 = -1
    guard
      let ring = allocator_trace_ring_create(Self.capacity, Self.waitNanoseconds, hasTimes, &ringDescriptor)
    else { throw ToolFailure("no shared memory: \(String(cString: strerror(errno)))", .system) }
    var writer: TraceWriter
    do {
      writer = try TraceWriter(descriptor: file, command: words.all, hasTimes: hasTimes)
    } catch {
      throw ToolFailure("\(output) \(error)", .cannotWrite)
    }
    let child = try start(ring: "/proc/\(getpid())/fd/\(ringDescriptor)")
    var program = RecordedProgram()
    let status = Self.record(ring, of: child, into: &writer, &program)
    let summary = writer.finish(
      lostCalls: Int(allocator_trace_ring_lost(ring)), laterPrograms: program.isOther ? 1 : 0)
    close(file)
    report(summary, ring: ring)
    exit(status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + status & 0x7F)
  }

  private func openOutput() throws(ToolFailure) -> Int32 {
    var existing = stat()
    if stat(output, &existing) == 0 && existing.st_mode & S_IFMT != S_IFREG {
      throw ToolFailure("\(output) is no regular file: a trace is finished at its beginning", .cannotWrite)
    }
    let file = open(output, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    guard file >= 0 else {
      throw ToolFailure("\(output) cannot be written: \(String(cString: strerror(errno)))", .cannotWrite)
    }
    // Beyond a limit of the file's size a write shall fail, not end this process.
    signal(SIGXFSZ, SIG_IGN)
    return file
  }

  /// Starts the program, with this process's streams and in its process group, as a shell would.
  private func start(ring: String) throws(ToolFailure) -> pid_t {
    var environment = ProcessInfo.processInfo.environment
    environment["LD_PRELOAD"] = Preload.value(for: library, current: environment["LD_PRELOAD"])
    environment[ALLOCATOR_TRACE_VARIABLE] = ring
    environment[ALLOCATOR_TRACE_PROGRAM_VARIABLE] = only
    let envp = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
    let argv = words.all.map { strdup($0) } + [nil]
    defer { for string in argv + envp { free(string) } }
    // Interrupts of the terminal are for the program; what is sent to this process alone, it passes on.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var defaults = sigset_t()
    sigemptyset(&defaults)
    for number in [SIGINT, SIGQUIT, SIGXFSZ] { sigaddset(&defaults, number) }
    posix_spawnattr_setsigdefault(&attributes, &defaults)
    // What comes before it can be passed on waits until then.
    var (passedOn, mask) = (sigset_t(), sigset_t())
    sigemptyset(&passedOn)
    for number in [SIGTERM, SIGHUP] { sigaddset(&passedOn, number) }
    pthread_sigmask(SIG_BLOCK, &passedOn, &mask)
    defer { pthread_sigmask(SIG_SETMASK, &mask, nil) }
    posix_spawnattr_setsigmask(&attributes, &mask)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))
    for number in [SIGINT, SIGQUIT] { signal(number, SIG_IGN) }
    let path = program.path.contains("/") ? program.path : "./\(program.path)"
    var child: pid_t = 0
    var code = posix_spawn(&child, path, nil, &attributes, argv, envp)
    if code == ENOEXEC {
      // A script without a first line: the shell's, as for execvp(3).
      let shell = [strdup("/bin/sh"), strdup(path)] + argv.dropFirst()
      code = posix_spawn(&child, "/bin/sh", nil, &attributes, shell, envp)
      free(shell[0])
      free(shell[1])
    }
    guard code == 0 else { throw ToolFailure("\(words.program): \(String(cString: strerror(code)))", .cannotRun) }
    recordedProcess = child
    for number in [SIGTERM, SIGHUP] { signal(number) { number in kill(recordedProcess, number) } }
    return child
  }

  /// Takes records out until the program has ended, and returns its wait status.
  private static func record(
    _ ring: OpaquePointer, of child: pid_t, into writer: inout TraceWriter,
    _ program: inout RecordedProgram
  ) -> Int32 {
    let most = 4096
    let records = UnsafeMutablePointer<allocator_trace_record>.allocate(capacity: most)
    defer { records.deallocate() }
    var status: Int32 = 0
    var (isOver, pause) = (false, UInt32(100))
    while true {
      let count = allocator_trace_ring_read(ring, records, most, isOver)
      for index in 0..<count { writer.write(records[index]) }
      if count > 0 {
        pause = 100
        continue
      }
      if isOver { return status }
      let ended = waitpid(child, &status, WNOHANG)
      if ended == child || (ended < 0 && errno != EINTR) {
        isOver = true
      } else {
        if pause >= 1000 { program.look(ring) }
        usleep(pause)
        pause = min(2 * pause, 2000)
      }
    }
  }

  private func report(_ summary: TraceSummary, ring: OpaquePointer) {
    var line =
      "\(output): \(summary.calls) calls of \(summary.threads) "
      + (summary.threads == 1 ? "thread" : "threads")
    if allocator_trace_ring_process(ring) == 0 {
      line = "nothing was recorded: no process loaded the library" + (only.map { " and ran \($0)" } ?? "")
    } else if let defect = summary.defect {
      line += "; the trace is not whole: \(defect)"
    }
    FileHandle.standardError.write(Data("allocators: \(line)\n".utf8))
  }
}

/// For the signal handlers.
nonisolated(unsafe) private var recordedProcess: pid_t = 0
