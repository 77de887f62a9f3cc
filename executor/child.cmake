# The child's side: the only programs that link the optimizer's passes and the runtime.
lathe_add_library(executor
  SOURCES accuracy.cc benchmark_job.cc candidate.cc compressed_size.cc cause_advice.cc compare_job.cc compare_models.cc
      dry_run_job.cc
      error_target.cc evaluate_job.cc event_writer.cc inspect_job.cc job.cc job_causes.cc job_parts.cc job_profile.cc
      model_size.cc operator_causes.cc operator_fallback.cc optimize_job.cc output_score.cc plan_job.cc provenance.cc
      quantization_choice.cc recommend_job.cc stage_search.cc target_check.cc PUBLIC lathe::common lathe::proto PRIVATE
      lathe::compatibility lathe::optimizer lathe::recommendation lathe::runtime lathe::wire TBB::tbb PkgConfig::ZSTD
      ZLIB::ZLIB)
lathe_add_binary(lathe-executor SOURCES main.cc DEPS lathe::executor lathe::child_setup)
