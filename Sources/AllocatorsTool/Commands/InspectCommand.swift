// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import ArgumentParser
import Foundation

/// Tells which allocator a program will get, or a process has.
struct InspectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect", abstract: "Tells which allocator a program will get, or a process has.",
    discussion: """
      A program is not run for it: its symbols are read, and the dynamic loader is asked which libraries it would load in \
      this environment. A number means a process, unless there is a file of that name.
      """)

  @Argument(help: ArgumentHelp("A program's path or name, or a process id.", valueName: "path-or-pid"))
  var subject: String

  func run() throws {
    for line in try Self.inspect(subject).lines { print(line) }
  }

  static func inspect(_ subject: String) throws -> Inspection {
    if let pid = Int(subject), !FileManager.default.fileExists(atPath: subject) {
      let scope = try LoaderScope(ofProcess: pid)
      return Inspection("process \(pid), \(scope.objects[0].path)", scope: scope)
    }
    // A library is no program, but can be looked at all the same.
    let isPath = subject.contains("/") || FileManager.default.fileExists(atPath: subject)
    if isPath && !FileManager.default.fileExists(atPath: subject) {
      throw ToolFailure("there is no file '\(subject)'", .noInput)
    }
    var program = isPath ? ProgramFile(path: subject) : try ProgramFile(named: subject)
    var title = program.path
    for _ in 0..<4 {
      guard let interpreter = program.scriptInterpreter else { break }
      program = interpreter
      title += ", a script for \(program.path)"
    }
    let image: ELFImage
    do {
      image = try ELFImage(contentsOf: program.path, depth: .allSymbols)
    } catch let error as ELFImage.Malformed {
      throw ToolFailure("\(program.path) is not an executable file: \(error.reason)", .badData)
    } catch {
      throw ToolFailure("\(program.path) cannot be read", .noInput)
    }
    guard image.isForThisMachine else {
      throw ToolFailure(
        "\(program.path) is for another architecture (ELF machine \(image.machine), \(image.bits) bits)", .badData)
    }
    let scope = try LoaderScope(ofProgramAt: program.path, image)
    return Inspection(title, scope: scope, preloadObstacle: program.preloadObstacle)
  }
}
